import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel, receiveMessageOnPort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { WorkerWakes } from '../../src/dataplane/wakes.ts';
import { sharedLedgers } from '../core/harness.ts';

describe('WorkerWakes', () => {
  const open: WorkerWakes[] = [];

  afterEach(() => {
    for (const wakes of open.splice(0)) wakes.close();
  });

  /** Wakes of so many workers, and who was woken; `changed` fulfils at the next of them. */
  function workers(count: number) {
    const woken: number[] = [];
    let tell = (): void => {};
    const changed = (): Promise<void> =>
      new Promise((resolve) => {
        tell = resolve;
      });
    const ledgers = sharedLedgers(count);
    const wakes = ledgers.map((ledger, worker) => {
      const made = new WorkerWakes(worker, ledger, () => {
        woken.push(worker);
        tell();
      });
      open.push(made);
      return made;
    });
    return { ledgers, wakes, woken, changed };
  }

  it('wakes the worker that is meant, and no other', async () => {
    const { wakes, woken, changed } = workers(3);
    const told = changed();
    wakes[0]?.wake(2);
    await told;
    expect(woken).toEqual([2]);
  });

  it('takes a write to its descriptor for a wake, and messages that came before it for none of its own', () => {
    const { wakes, woken } = workers(2);
    wakes[0]?.wake(1);
    wakes[1]?.receive();
    expect(woken).toEqual([1]);
    wakes[1]?.receive();
    expect(woken).toEqual([1, 1]);
  });

  it('writes eight bytes to the descriptor of a worker that has one, with no message to any, and to none that was taken back', () => {
    const { ledgers, wakes } = workers(2);
    const others = new BroadcastChannel('sluice-wake');
    const messages = () => receiveMessageOnPort(others as never);
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    const path = join(folder, 'wake');
    const fd = openSync(path, 'w');
    ledgers[1]?.wakeFds.set(1, fd);
    wakes[0]?.wake(1);
    expect(readFileSync(path)).toEqual(Buffer.from(new BigUint64Array([1n]).buffer));
    expect(messages()).toBeUndefined();
    ledgers[0]?.wakeFds.set(1, undefined);
    wakes[0]?.wake(1);
    expect(readFileSync(path)).toHaveLength(8);
    expect(messages()).toEqual({ message: 1 });
    others.close();
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
});
