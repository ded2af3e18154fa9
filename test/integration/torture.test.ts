/**
 * Thousands of unruly connections through the built executable, with the uring driver in threads of its own. Whatever
 * came through must be what was sent; then the books must balance, and neither a descriptor nor a buffer be missing.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { seeded } from '../support/seeded.ts';
import { misbehave } from '../support/unruly.ts';
import { Scene } from './scene.ts';

const connections = Number(process.env['SLUICE_TORTURE'] ?? 2_000);
const atOnce = 100;
const unruly = ['client-reset', 'backend-reset', 'client-left', 'connect-failed'];

describe.skipIf(whyNot() !== undefined).each([1, 2])('%i workers of the uring driver', (workers) => {
  const timeout = 60_000 + connections * 20;
  it(`keep ${connections} unruly connections whole and hold nothing in the end`, { timeout }, async () => {
    const seed = Number(process.env['SLUICE_SEED'] ?? randomInt(2 ** 31));
    const claim = `seed ${seed}`;
    const scene = new Scene({ workers });
    const broken: string[] = [];
    const complain = (what: string): void => void broken.push(what);
    let served = 0;
    const backend = await scene.backend(
      (socket) => void misbehave(socket, seeded(seed ^ ++served), complain),
    );
    const proxy = await scene.proxy({
      backends: [backend.address],
      // A backend that resets before the dial is noticed to have succeeded is one that can't be dialed.
      pool: { circuitBreaker: 'off' },
      more: { driver: 'uring', log: { level: 'info', sessions: false } },
    });
    let begun = 0;
    const visitor = async (): Promise<void> => {
      while (begun < connections) {
        const random = seeded(seed + ++begun * 7_919);
        const client = scene.client(proxy.port);
        if (await isConnected(client, complain)) await misbehave(client, random, complain);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, visitor));
    expect(broken, claim).toEqual([]);
    await scene.settle();
    // Who was gone when it was accepted is counted nowhere; nobody is refused or cut.
    const { finished = 0, ...others } = await proxy.reasons();
    expect(finished, claim).toBeGreaterThan(connections / 3);
    for (const reason of Object.keys(others)) expect(unruly, claim).toContain(reason);
    await scene.end();
    expect(proxy.sluice.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

/** A backend may reset before its client has noticed that it is connected. */
async function isConnected(client: Socket, complain: (what: string) => void): Promise<boolean> {
  try {
    await once(client, 'connect');
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ECONNRESET') complain(`connect ${code}`);
    return false;
  }
}
