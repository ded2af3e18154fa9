import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { WorkerThread } from '../../../src/control/workers/worker-thread.ts';
import { defaultCapacity, Ledger } from '../../../src/core/ledger/ledger.ts';
import { driverModules } from '../../../src/drivers/drivers.ts';
import { TicketKeys } from '../../../src/drivers/ticket-keys.ts';
import { configOf } from '../../support/configuration.ts';

const text =
  '{ version: 1, listeners: { web: { bind: ":8080", pool: app } }, pools: { app: { backends: ["127.0.0.1:9000"] } } }';
const { log } = configOf(parseConfig(text, { file: 'sluice.yaml', env: {} }));

it('A worker thread that has ended answers nothing, and whoever asks is told at once', async () => {
  const capacity = { ...defaultCapacity, workers: 1 };
  let isOver = (): void => {};
  const over = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  const init = {
    ...{ worker: 0, capacity, ledger: new SharedArrayBuffer(Ledger.byteLength(capacity)) },
    ...{ bufferBytes: 1 << 20, ticketKeys: new TicketKeys().memory },
    log,
  };
  const nothing = (): void => {};
  const thread = new WorkerThread(driverModules.portable, init, {
    ...{ news: nothing, drained: nothing, exited: nothing, ended: isOver },
  });
  const asked = thread.ask({ kind: 'list-sessions', filter: {}, from: 0, most: 1 });
  const rejected = expect(asked).rejects.toThrow('The worker ended');
  await thread.terminate();
  await over;
  await rejected;
  await expect(thread.ask({ kind: 'list-sessions', filter: {}, from: 0, most: 1 })).rejects.toThrow(
    'The worker ended',
  );
});
