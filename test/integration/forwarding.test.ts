import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { connected, ending, named, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest, sluiceOfTest } from '../support/of-test.ts';

function config(addresses: readonly string[], more = ''): string {
  return `
version: 1
listeners:
  web: { bind: "127.0.0.1:0", pool: app }
pools:
  app:
    backends: [ ${addresses.map((address) => `"${address}"`).join(', ')} ]
${more}
admin: { bind: "127.0.0.1:0" }
`;
}

describe('sluice run', () => {
  it('copies both ways, unchanged, and counts every byte', async () => {
    const { address } = await backendOfTest();
    const sluice = await sluiceOfTest(config([address]));
    const payload = randomBytes(8 << 20);
    const client = await connected(sluice.port('web'));
    const hash = createHash('sha256');
    client.on('data', (bytes: Buffer) => void hash.update(bytes));
    client.end(payload);
    await once(client, 'end');
    expect(hash.digest('hex')).toBe(createHash('sha256').update(payload).digest('hex'));
    const line = await sluice.logged(({ msg }) => msg === 'session closed');
    expect(line).toMatchObject({
      listener: 'web',
      pool: 'app',
      backend: address,
      attempts: 1,
      bytesToBackend: payload.length,
      bytesToClient: payload.length,
      reason: 'finished',
      endedBy: 'client',
    });
    expect(await sluice.metric('sluice_bytes_total{listener="web",direction="to_backend"}')).toBe(
      payload.length,
    );
  });

  it('spreads connections over backends in turn', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((name) => backendOfTest(named(name))));
    const sluice = await sluiceOfTest(
      config(
        all.map(({ address }) => address),
        'workers: 1',
      ),
    );
    const { port } = { port: sluice.port('web') };
    const names: string[] = [];
    for (let visit = 0; visit < 6; visit++) {
      const client = await connected(port);
      names.push(await nextText(client));
      client.end();
      await ending(client);
    }
    expect(names.join('')).toBe('abcabc');
  });

  it('goes to another backend where the first refuses, and says so', async () => {
    const dead = await backendOfTest();
    await dead.close();
    const alive = await backendOfTest(named('alive'));
    const sluice = await sluiceOfTest(config([dead.address, alive.address]));
    const client = await connected(sluice.port('web'));
    expect(await nextText(client)).toBe('alive');
    client.end();
    const line = await sluice.logged(({ msg }) => msg === 'session closed');
    expect(line).toMatchObject({ attempts: 2, backend: alive.address, reason: 'finished' });
    const failures = `sluice_backend_connect_failures_total{pool="app",backend="${dead.address}",reason="connect-refused"}`;
    expect(await sluice.metric(failures)).toBe(1);
  });

  it('resets the client where the only backend refuses', async () => {
    const dead = await backendOfTest();
    await dead.close();
    const sluice = await sluiceOfTest(config([dead.address], '    connect: { retries: 0 }'));
    const client = await connected(sluice.port('web'));
    expect(await ending(client)).toEqual({ text: '', reset: true });
    const line = await sluice.logged(({ msg }) => msg === 'session closed');
    expect(line).toMatchObject({ level: 'warn', reason: 'connect-refused', endedBy: 'proxy', attempts: 1 });
  });

  it('keeps its books: accepted is active and closed by reason', async () => {
    const { address } = await backendOfTest();
    const sluice = await sluiceOfTest(config([address]));
    const port = sluice.port('web');
    const clients = await Promise.all(Array.from({ length: 10 }, () => connected(port)));
    for (const client of clients) client.write('x');
    await Promise.all(clients.map(nextText));
    for (const client of clients.slice(0, 4)) client.destroy();
    await eventually(async () => {
      const { body } = (await sluice.ask('/metrics')) ?? { body: '' };
      const values = (name: string): number[] =>
        body
          .split('\n')
          .filter((line) => line.startsWith(`${name}{`))
          .map((line) => Number(line.split(' ').at(-1)));
      const closed = values('sluice_sessions_closed_total').reduce((sum, value) => sum + value, 0);
      expect(values('sluice_listener_connections_active')).toEqual([6]);
      expect(values('sluice_listener_connections_total')).toEqual([6 + closed]);
      expect(closed).toBe(4);
    });
    for (const client of clients) client.destroy();
  });
});
