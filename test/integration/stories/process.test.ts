/** What goes wrong with the process: it has no descriptors left, or is killed. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connected, echo, ending, startBackend } from '../../support/backends.ts';
import { Sluice } from '../../support/sluice.ts';
import { openScene } from '../scene.ts';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

describe.skipIf(!canLimit)('The story of descriptors that run out (skipped without prlimit)', () => {
  const runsOut = 'out of file descriptors, new clients are turned away: raise ulimit -n';
  const scene = openScene({ wrap: ['prlimit', '--nofile=128:128'], mayLog: [runsOut] });

  it('names the process and no backend', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({ backends: [backend.address] });
    for (let guest = 0; guest < 100; guest++) scene.client(proxy.port);

    expect(await proxy.sluice.logged(({ msg }) => msg === runsOut)).toMatchObject({
      level: 'error',
      limit: 128,
    });
    const [refused] = await proxy.closed();
    expect(refused).toMatchObject({ reason: 'overloaded', detail: 'Out of file descriptors' });
    expect(refused).not.toHaveProperty('backend');
    const used = await proxy.sluice.metric('sluice_descriptors_open');
    expect(used).toBeLessThanOrEqual(await proxy.sluice.metric('sluice_descriptors_limit'));
    const { body } = await proxy.sluice.api('GET status');
    expect(body).toMatchObject({ descriptors: { limit: 128, open: expect.any(Number) } });
    expect(await proxy.backend()).toMatchObject({ circuit: 'closed', unavailable: null, dialFailures: 0 });
  });
});

describe('The story of a process that is killed', () => {
  it('has the line of each session but the last ones, whole and in order', async () => {
    const backend = await startBackend(echo);
    onTestFinished(() => backend.close());
    const sluice = await Sluice.run(`
version: 1
workers: 2
listeners: { web: { bind: 127.0.0.1:0, pool: app } }
pools: { app: { backends: ["${backend.address}"] } }
`);
    onTestFinished(() => sluice.stop());
    const clients: string[] = [];
    const visit = async (): Promise<void> => {
      const client = await connected(sluice.port('web'));
      clients.push(`${client.localAddress}:${client.localPort}`);
      client.end('.');
      await ending(client);
    };
    for (let early = 0; early < 20; early++) await visit();
    // Nothing comes behind them that could push them out.
    await sluice.logged(() => sluice.sessions.length === clients.length);
    for (let late = 0; late < 20; late++) await visit();
    sluice.signal('SIGKILL');
    await sluice.ended;

    const logged = sluice.sessions.map((line) => String(line['client']));
    expect(logged).toEqual(expect.arrayContaining(clients.slice(0, 20)));
    expect(clients).toEqual(expect.arrayContaining(logged));
    const times = sluice.lines.map((line) => String(line['time']));
    expect(times).toEqual(times.toSorted());
    for (const line of sluice.stdout.trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  });
});
