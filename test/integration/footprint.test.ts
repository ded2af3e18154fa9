/** What the process takes before its first connection. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Sluice } from '../support/sluice.ts';

const config = JSON.stringify({
  version: 1,
  workers: 1,
  listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
  pools: { app: { backends: ['127.0.0.1:9001'] } },
  admin: { bind: '127.0.0.1:0' },
});

it.skipIf(!existsSync('/proc/self/status'))(
  'sluice has little memory of its own before its first connection',
  async () => {
    const sluice = await Sluice.run(config);
    try {
      // 31 to 41 MiB by the Node, of which 15 to 19 are those of an idle Node with a thread. The program's file is not
      // counted: all processes of it share it.
      expect(anonymousBytes(sluice.pid)).toBeLessThan(48 * 2 ** 20);
    } finally {
      await sluice.stop();
    }
  },
);

function anonymousBytes(pid: number): number {
  const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
