/**
 * What goes wrong with a backend, as an operator meets it: log, metrics and status say which one it is, and of what.
 */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import { openBlackHole } from '../black-hole.ts';
import { openScene } from '../scene.ts';
import { backendMetric, backendOnce, lineOf, visits } from './stage.ts';

const scene = openScene({ workers: 1 });

/** Answers the first bytes after a time, and ends. */
function answering(afterMs: number) {
  return (socket: Socket): void => {
    socket.once('data', () => setTimeout(() => socket.end('answer'), afterMs));
  };
}

describe('The story of a backend', () => {
  it('that is slow', async () => {
    const fast = await scene.backend(answering(0));
    const slow = await scene.backend(answering(300));
    const proxy = await scene.proxy({ backends: [fast.address, slow.address] });
    await visits(scene, proxy, 4);

    const firstByteMs = (await proxy.closed(4)).map((line) => [line['backend'], Number(line['firstByteMs'])]);
    for (const [backend, ms] of firstByteMs)
      expect(Number(ms) >= 290, `${backend}`).toBe(backend === slow.address);
    const seconds = (backend: string) => backendMetric(proxy, 'first_byte_seconds_sum', { backend });
    expect(await seconds(slow.address)).toBeGreaterThan(await seconds(fast.address));
    expect(await backendMetric(proxy, 'first_byte_seconds_count', { backend: slow.address })).toBe(2);
    const [one, other] = await proxy.backends();
    expect(other?.meanFirstByteMs).toBeGreaterThan(one?.meanFirstByteMs ?? Infinity);
  });

  it('that accepts nothing', async () => {
    const { address: backend, close } = await openBlackHole();
    scene.afterwards(close);
    const good = await scene.backend(answering(0));
    const proxy = await scene.proxy({
      backends: [backend, good.address],
      pool: {
        balance: 'first',
        connect: { timeout: '100ms', retries: 1 },
        circuitBreaker: { consecutiveFailures: 2 },
      },
    });
    await visits(scene, proxy, 3);

    const error = 'No answer within 100 ms';
    expect((await proxy.closed(3))[0]).toMatchObject({ dials: [{ backend, error }], backend: good.address });
    expect(await lineOf(proxy, 'circuit opened')).toMatchObject({ level: 'warn', backend, lastError: error });
    const failures = { backend, more: ',reason="connect-timeout"' };
    expect(await backendMetric(proxy, 'connect_failures_total', failures)).toBe(2);
    expect(await backendOnce(proxy, backend, ({ circuit }) => circuit === 'open')).toMatchObject({
      unavailable: 'circuit-open',
      lastError: { error },
    });
  });

  it('that resets what it has accepted', async () => {
    const good = await scene.backend(answering(0));
    const { address: backend } = await scene.backend((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const proxy = await scene.proxy({ backends: [good.address, backend] });
    await visits(scene, proxy, 4);

    await proxy.closed(4);
    const reset = proxy.sluice.sessions.filter(({ reason }) => reason === 'backend-reset');
    expect(reset).toMatchObject([
      { backend, endedBy: 'backend' },
      { backend, endedBy: 'backend' },
    ]);
    const closed = { backend, more: ',reason="backend-reset"' };
    expect(await backendMetric(proxy, 'sessions_closed_total', closed)).toBe(2);
    expect(await backendOnce(proxy, backend, () => true)).toMatchObject({ closed: { 'backend-reset': 2 } });
    expect(await backendOnce(proxy, good.address, () => true)).toMatchObject({ closed: { finished: 2 } });
  });

  it('that flaps', async () => {
    const good = await scene.backend(answering(0));
    const flapping = await scene.backend(answering(0));
    const { address: backend, port } = flapping;
    const proxy = await scene.proxy({
      backends: [good.address, backend],
      pool: { healthCheck: { type: 'tcp', interval: '50ms', rise: 1, fall: 1 } },
    });
    const became = (health: string) => backendOnce(proxy, backend, (one) => one.health === health);
    await became('up');
    await flapping.close();
    await became('down');
    const again = await startBackend(answering(0), { host: '127.0.0.1', port });
    scene.afterwards(() => again.close());
    const { healthSince } = await became('up');
    await again.close();

    expect(await became('down')).toMatchObject({ lastCheck: { pass: false, detail: 'Connection refused' } });
    expect(Date.parse((await became('down')).healthSince)).toBeGreaterThan(Date.parse(healthSince));
    const told = () =>
      proxy.sluice.lines.filter((line) => line['pool'] === proxy.pool && line['backend'] === backend);
    await eventually(() =>
      expect(told().map(({ msg }) => msg)).toEqual([
        'backend up',
        'backend down',
        'backend up',
        'backend down',
      ]),
    );
    expect(told().at(-1)).toMatchObject({ level: 'warn', detail: 'Connection refused' });
    expect(await backendMetric(proxy, 'up', { backend })).toBe(0);
    expect(await backendMetric(proxy, 'up', { backend: good.address })).toBe(1);
  });

  it('that is not the only one to be down', async () => {
    const backends = [await scene.deadBackend(), await scene.deadBackend()];
    const proxy = await scene.proxy({
      backends,
      pool: { healthCheck: { type: 'tcp', interval: '50ms', fall: 1 } },
    });
    for (const backend of backends) await backendOnce(proxy, backend, ({ health }) => health === 'down');
    await visits(scene, proxy, 1);

    expect(await lineOf(proxy, 'pool has no backend left')).toMatchObject({ level: 'warn', why: '2 down' });
    expect(await proxy.closed()).toMatchObject([{ level: 'warn', pool: proxy.pool, reason: 'no-backend' }]);
    expect(await proxy.reasons()).toEqual({ 'no-backend': 1 });
    for (const backend of backends) {
      expect(await lineOf(proxy, 'backend down', { backend })).toMatchObject({
        detail: 'Connection refused',
      });
      expect(await backendMetric(proxy, 'up', { backend })).toBe(0);
      expect(await backendOnce(proxy, backend, () => true)).toMatchObject({ unavailable: 'down' });
    }
  });

  it('whose breaker is open for ever', async () => {
    const backend = await scene.deadBackend();
    const good = await scene.backend(answering(0));
    const proxy = await scene.proxy({
      backends: [backend, good.address],
      pool: {
        balance: 'first',
        circuitBreaker: { consecutiveFailures: 1, openFor: '50ms', maxOpenFor: '100ms' },
      },
    });
    const isOpen = ',state="open"';
    const opened = () => backendMetric(proxy, 'circuit_opened_total', { backend });
    await eventually(async () => {
      await visits(scene, proxy, 1);
      expect(await opened()).toBeGreaterThanOrEqual(3);
    });

    expect(await lineOf(proxy, 'circuit opened')).toMatchObject({
      level: 'warn',
      backend,
      lastError: 'ECONNREFUSED',
    });
    expect(proxy.sluice.lines.filter(({ msg }) => msg === 'circuit closed')).not.toContainEqual(
      expect.objectContaining({ backend }),
    );
    const status = await backendOnce(proxy, backend, () => true);
    expect(status).toMatchObject({ circuit: 'open', lastError: { error: 'ECONNREFUSED' } });
    expect(status.dialFailures).toBeGreaterThanOrEqual(3);
    expect(await backendMetric(proxy, 'circuit_state', { backend, more: isOpen })).toBe(1);
    expect(await backendMetric(proxy, 'circuit_state', { backend: good.address, more: isOpen })).toBe(0);
  });
});
