/**
 * What goes wrong around the backends: a client that holds all places, a name that is gone, certificates that run out.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { echo, ending, nextText } from '../../support/backends.ts';
import { authority } from '../../support/certificate.ts';
import { startDnsServer } from '../../support/dns-server.ts';
import { openScene } from '../scene.ts';
import { lineOf } from './stage.ts';

// A resolver is chosen at start.
const dns = await startDnsServer();
afterAll(() => dns.close());
const more = { resolver: { servers: [dns.address] } };
const over = 'certificate has expired';
const scene = openScene({ workers: 1, mayLog: [over] });

describe('The story of', () => {
  it('one client that holds all places', async () => {
    const backend = await scene.backend(echo);
    const proxy = await scene.proxy({
      more,
      backends: [backend.address],
      listener: { limits: { maxConnections: 3 } },
    });
    for (let held = 0; held < 3; held++) {
      const client = scene.client({ port: proxy.port, host: '127.0.0.1', localAddress: '127.0.0.9' });
      client.write('.');
      await nextText(client);
    }
    expect((await ending(scene.client(proxy.port))).reset).toBe(true);

    const busiest = [{ client: '127.0.0.9', connections: 3 }];
    expect(await lineOf(proxy, 'listener is full')).toMatchObject({ level: 'warn', clients: 1, busiest });
    expect(await proxy.closed()).toMatchObject([{ level: 'warn', reason: 'listener-full' }]);
    const { body } = await proxy.sluice.api(`GET clients?listener=${proxy.listener}`);
    expect(body).toMatchObject({ active: 3, limit: 3, busiest });
    const label = `{listener="${proxy.listener}"}`;
    expect(await proxy.sluice.metric(`sluice_listener_connections_active${label}`)).toBe(3);
    expect(await proxy.sluice.metric(`sluice_listener_connections_limit${label}`)).toBe(3);
  });

  it('DNS that is gone', async () => {
    const name = 'app.test';
    dns.zone.set(name, 'servfail');
    const proxy = await scene.proxy({ more, backends: [`${name}:80`] });
    expect((await ending(scene.client(proxy.port))).reset).toBe(true);

    const problem = 'The name server failed';
    expect(await lineOf(proxy, 'name does not resolve')).toMatchObject({ level: 'warn', name, problem });
    const why = 'no address is known';
    expect(await lineOf(proxy, 'pool has no backend left')).toMatchObject({ level: 'warn', why });
    expect(await proxy.closed()).toMatchObject([{ pool: proxy.pool, reason: 'no-backend' }]);
    const metric = (what: string) => proxy.sluice.metric(`sluice_dns_${what}{pool="${proxy.pool}"}`);
    expect(await metric('failures_total')).toBeGreaterThan(0);
    expect(await metric('last_success_timestamp_seconds')).toBe(0);
    const { names } = (await proxy.sluice.status()).pools[proxy.pool] ?? {};
    expect(names).toMatchObject([{ name, problem, resolved: null }]);
  });

  it('a certificate that is over, and one that soon will be', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    scene.afterwards(() => rmSync(folder, { recursive: true }));
    const soon = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 5 * 24 * 3_600_000);
    const ca = authority('Test');
    const pairs = {
      soon: ca.issue({ names: ['soon.example'], expires: soon }),
      over: ca.issue({ names: ['over.example'], isExpired: true }),
    };
    for (const [file, pair] of Object.entries(pairs)) {
      writeFileSync(join(folder, `${file}.pem`), pair.cert);
      writeFileSync(join(folder, `${file}.key`), pair.key);
    }
    const backend = await scene.backend(echo);
    const certificates = Object.keys(pairs).map((file) => ({
      cert: join(folder, `${file}.pem`),
      key: join(folder, `${file}.key`),
    }));
    const proxy = await scene.proxy({
      more,
      backends: [backend.address],
      listener: { tls: { certificates } },
    });

    const expires = { soon: soon.toISOString(), over: '2001-01-01T00:00:00.000Z' };
    expect(await lineOf(proxy, 'certificate expires soon')).toMatchObject({
      ...{ level: 'warn', name: 'soon.example', expires: expires.soon },
    });
    expect(await lineOf(proxy, over)).toMatchObject({
      ...{ level: 'error', name: 'over.example', expires: expires.over },
    });
    const { body } = await proxy.sluice.api('GET status');
    expect(body.certificates).toMatchObject([
      { listener: proxy.listener, name: 'soon.example', expires: expires.soon },
      { listener: proxy.listener, name: 'over.example', expires: expires.over },
    ]);
    for (const file of ['soon', 'over'] as const) {
      const labels = `listener="${proxy.listener}",name="${file}.example"`;
      const metric = await proxy.sluice.metric(`sluice_certificate_expiry_timestamp_seconds{${labels}}`);
      expect(metric * 1_000).toBe(Date.parse(expires[file]));
    }
  });
});
