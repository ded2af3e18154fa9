/** A process that is out of descriptors, with several threads that accept on one port. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { portable } from '../../../src/drivers/portable/module.ts';
import { inTime } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';

test.runIf(portable.sharesPorts)(
  'Portable drivers out of descriptors that share a port leave no client waiting',
  async () => {
    const rigs = [await Rig.start('portable'), await Rig.start('portable')] as const;
    const address = await rigs[0].listen({ host: '127.0.0.1', port: 0 }, { shared: true });
    await rigs[1].listen(address, { shared: true });
    const crowd = fork(new URL('../../conformance/crowd.mjs', import.meta.url), { execArgv: [] });
    await message(crowd, 'backend');
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
      expect((await message(crowd, 'settled')).settled).toBe(300);
    } finally {
      for (const filler of fillers) closeSync(filler);
      crowd.kill();
      await once(crowd, 'exit');
      for (const rig of rigs) await rig.dispose();
      run(`--nofile=${usual}:`);
    }
  },
);

async function message<Key extends string>(from: ChildProcess, key: Key): Promise<Record<Key, number>> {
  for (;;) {
    const [received]: unknown[] = await inTime(once(from, 'message'), `message ${key}`);
    if (isWith(received, key)) return received;
  }
}

function isWith<Key extends string>(value: unknown, key: Key): value is Record<Key, number> {
  return typeof value === 'object' && value !== null && key in value;
}
