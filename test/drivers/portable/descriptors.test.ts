/** A process that is out of descriptors, with several threads that accept on one port. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { portable } from '../../../src/drivers/portable/module.ts';
import { inTime, pause } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';

test.runIf(portable.sharesPorts)(
  'Portable drivers out of descriptors that share a port neither spin nor leave a client waiting for ever',
  async () => {
    const rigs = [await Rig.start('portable'), await Rig.start('portable')] as const;
    const address = await rigs[0].listen({ host: '127.0.0.1', port: 0 }, { shared: true });
    await rigs[1].listen(address, { shared: true });
    const crowd = fork(new URL('../../conformance/crowd.mjs', import.meta.url), { execArgv: [] });
    const { backend } = await message(crowd, 'backend');
    for (const rig of rigs) rig.target = { host: '127.0.0.1', port: backend };
    const run = (...args: string[]) =>
      execFileSync('prlimit', ['--pid', String(process.pid), ...args]).toString();
    const usual = run('--nofile', '--output=SOFT', '--noheadings').trim();
    run(`--nofile=${readdirSync('/proc/self/fd').length + 40}:`);
    const fillers: number[] = [];
    try {
      expect(() => {
        for (;;) fillers.push(openSync('/dev/null', 'r'));
      }).toThrow('EMFILE');
      crowd.send({ port: 'port' in address ? address.port : 0, connect: 300 });
      await settledUntil(crowd, (_, unchanged) => unchanged === 25);
      const before = process.cpuUsage();
      await pause(200);
      const { user, system } = process.cpuUsage(before);
      expect(user + system).toBeLessThan(100_000);
      for (const filler of fillers.splice(0)) closeSync(filler);
      run(`--nofile=${usual}:`);
      await settledUntil(crowd, (settled) => settled === 300);
    } finally {
      for (const filler of fillers) closeSync(filler);
      run(`--nofile=${usual}:`);
      crowd.kill();
      await once(crowd, 'exit');
      for (const rig of rigs) await rig.dispose();
    }
  },
);

/** Asks how many have been served or have seen their connection end, until that will do; `unchanged`: so many looks. */
async function settledUntil(
  crowd: ChildProcess,
  suffices: (settled: number, unchanged: number) => boolean,
): Promise<void> {
  for (let last = -1, unchanged = 0; !suffices(last, unchanged); ) {
    crowd.send({ count: true });
    const { settled } = await message(crowd, 'settled');
    unchanged = settled === last ? unchanged + 1 : 0;
    last = settled;
    await pause(20);
  }
}

async function message<Key extends string>(from: ChildProcess, key: Key): Promise<Record<Key, number>> {
  for (;;) {
    const [received]: unknown[] = await inTime(once(from, 'message'), `message ${key}`);
    if (isWith(received, key)) return received;
  }
}

function isWith<Key extends string>(value: unknown, key: Key): value is Record<Key, number> {
  return typeof value === 'object' && value !== null && key in value;
}
