import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inTime, pause, readBytes } from './peers.ts';
import type { Spec } from './spec.ts';

export function exhaustion(spec: Spec): void {
  if (!canLimit()) return void test.skip('Driver out of descriptors (prlimit of util-linux is missing)');

  spec(
    'Driver out of descriptors turns clients away, neither spins nor cuts open sessions, and accepts again later',
    async (rig) => {
      const crowd = fork(new URL('./crowd.mjs', import.meta.url), { execArgv: [] });
      try {
        const { backend } = await message(crowd, 'backend');
        rig.target = { host: '127.0.0.1', port: backend };
        const { port } = await rig.listen().then((address) => ('port' in address ? address : { port: 0 }));
        const open = await rig.client({ host: '127.0.0.1', port });
        open.write('x');
        await readBytes(open, 1);

        const restore = limitDescriptors(readdirSync('/proc/self/fd').length + 80);
        // A limit is good for a moment before it is read again.
        await pause(150);
        try {
          crowd.send({ port, connect: 300 });
          const served = await servedOf(crowd, 16);
          // Each takes two, and who comes leaves one for the dial that follows.
          expect(served).toBeLessThan(40);
          await rig.until('all others are turned away', () => rig.count('turned-away') === 300 - served);
          expect((await rig.event('turned-away')).peer.address).toBe('127.0.0.1');
          open.write('y');
          expect(await readBytes(open, 1)).toBe('y');
          const before = process.cpuUsage();
          await pause(200);
          const { user, system } = process.cpuUsage(before);
          expect(user + system).toBeLessThan(100_000);

          crowd.send({ leave: true });
          await rig.until('the crowd has left', () => rig.openLinks === 1);
          crowd.send({ port, connect: 5 });
          expect(await servedOf(crowd, 4)).toBe(5);
        } finally {
          restore();
        }
      } finally {
        crowd.kill();
        await once(crowd, 'exit');
      }
    },
  );

  spec('Driver tells a dial for which it has no descriptor as its own exhaustion', async (rig) => {
    await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    const restore = limitDescriptors(readdirSync('/proc/self/fd').length + 20);
    const fillers = openUntilNoneIsLeft();
    try {
      rig.dial(link, { host: '127.0.0.1', port: 9 });
      expect(await rig.event('connect-failed')).toMatchObject({ client: link, why: 'exhausted' });
    } finally {
      for (const filler of fillers) closeSync(filler);
      restore();
    }
    rig.close(link, 'reset');
  });
}

/** How many of the crowd were served, more than so many, once nothing changes any more. */
async function servedOf(crowd: ChildProcess, more: number): Promise<number> {
  for (let last = '', same = 0; ; ) {
    crowd.send({ count: true });
    const { settled, served } = await message(crowd, 'served');
    const now = `${settled} ${served}`;
    same = now === last && served > more ? same + 1 : 0;
    if (same === 50) return served;
    last = now;
    await pause(20);
  }
}

function openUntilNoneIsLeft(): number[] {
  const descriptors: number[] = [];
  try {
    for (;;) descriptors.push(openSync('/dev/null', 'r'));
  } catch {
    return descriptors;
  }
}

/** util-linux's prlimit changes the limit of a running process. */
function canLimit(): boolean {
  try {
    execFileSync('prlimit', ['--version']);
    return true;
  } catch {
    return false;
  }
}

function limitDescriptors(most: number): () => void {
  const run = (...args: string[]) =>
    execFileSync('prlimit', ['--pid', String(process.pid), ...args]).toString();
  const usual = run('--nofile', '--output=SOFT', '--noheadings').trim();
  run(`--nofile=${most}:`);
  return () => run(`--nofile=${usual}:`);
}

async function message<Key extends string>(
  from: ChildProcess,
  key: Key,
): Promise<Record<Key | 'settled', number>> {
  for (;;) {
    const [received]: unknown[] = await inTime(once(from, 'message'), `message ${key}`);
    if (isWith(received, key)) return received;
  }
}

function isWith<Key extends string>(value: unknown, key: Key): value is Record<Key | 'settled', number> {
  return typeof value === 'object' && value !== null && key in value;
}
