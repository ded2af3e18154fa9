/** What clients cost that have stopped reading a fast download, as the kernel counts it for the process. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { forgetPeak, usage } from '../../bench/stage/usage.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import type { TestBackend } from '../support/backends.ts';
import { eventually, settled } from '../support/eventually.ts';
import { openScene, type Proxied } from './scene.ts';

const runsUring = whyNot() === undefined;

describe.each(['uring', 'portable'] as const)('sluice on the %s driver', (driver) => {
  const scene = openScene({ workers: 1 });

  it.runIf(process.platform === 'linux' && (driver !== 'uring' || runsUring))(
    'takes less than 64 MiB for 150 stalled readers at any moment, and gives it back',
    async () => {
      const backend = await scene.backend(pour);
      const proxy = await scene.proxy({ backends: [backend.address], more: { driver } });
      forgetPeak(proxy.sluice.pid);
      const before = residentBytes(proxy);
      const clients = Array.from({ length: 150 }, () => scene.client(proxy.port));
      await eventually(() => expect(backend.open.size).toBe(clients.length));
      await settled(() => written(backend), 60_000);
      expect(peakBytes(proxy) - before).toBeLessThan(64 * MiB);
      for (const client of clients) client.resetAndDestroy();
      await eventually(() => expect(residentBytes(proxy) - before).toBeLessThan(16 * MiB));
    },
    120_000,
  );
});

const MiB = 2 ** 20;
const block = Buffer.alloc(256 * 1024);

/** Writes without end whatever is taken. */
function pour(socket: Socket): void {
  while (socket.writable && socket.write(block));
  socket.once('drain', () => pour(socket));
}

function written({ open }: TestBackend): number {
  return [...open].reduce((sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength, 0);
}

/** Mapped memory too, as far as it was touched. */
function residentBytes({ sluice }: Proxied): number {
  return usage(sluice.pid)?.residentBytes ?? 0;
}

function peakBytes({ sluice }: Proxied): number {
  return usage(sluice.pid)?.peakBytes ?? 0;
}
