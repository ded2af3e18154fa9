import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { expect } from 'vitest';
import { inTime, pause, readBytes } from './peers.ts';
import type { Spec } from './spec.ts';

export function exhaustion(spec: Spec): void {
  spec(
    'Driver out of descriptors neither spins nor cuts open sessions, and accepts again later',
    async (rig) => {
      if (!canLimit()) return;
      const crowd = fork(new URL('./crowd.mjs', import.meta.url), { execArgv: [] });
      try {
        const { backend } = await message(crowd, 'backend');
        rig.target = { host: '127.0.0.1', port: backend };
        const { port } = await rig.listen().then((address) => ('port' in address ? address : { port: 0 }));
        const open = await rig.client({ host: '127.0.0.1', port });
        open.write('x');
        await readBytes(open, 1);

        const restore = limitDescriptors(readdirSync('/proc/self/fd').length + 40);
        try {
          crowd.send({ port, connect: 300 });
          const { served } = await message(crowd, 'served');
          // How many get a backend is luck: clients may have taken every descriptor before the first dial.
          expect(served).toBeLessThan(40);
          open.write('y');
          expect(await readBytes(open, 1)).toBe('y');
          const before = performance.eventLoopUtilization();
          await pause(200);
          expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);

          crowd.send({ leave: true });
          await rig.until('the crowd has left', () => rig.openSessions === 1);
          crowd.send({ port, connect: 5 });
          expect((await message(crowd, 'served')).served).toBe(5);
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
    if (!canLimit()) return;
    await rig.client(await rig.listen());
    const { session } = await rig.event('accepted');
    const restore = limitDescriptors(readdirSync('/proc/self/fd').length + 20);
    const fillers = openUntilNoneIsLeft();
    try {
      rig.dial(session, { host: '127.0.0.1', port: 9 });
      expect(await rig.event('dial-failed')).toMatchObject({ session, why: 'exhausted' });
    } finally {
      for (const filler of fillers) closeSync(filler);
      restore();
    }
    rig.close(session, 'reset');
  });
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

async function message<Key extends string>(from: ChildProcess, key: Key): Promise<Record<Key, number>> {
  for (;;) {
    const [received]: unknown[] = await inTime(once(from, 'message'), `message ${key}`);
    if (isWith(received, key)) return received;
  }
}

function isWith<Key extends string>(value: unknown, key: Key): value is Record<Key, number> {
  return typeof value === 'object' && value !== null && key in value;
}
