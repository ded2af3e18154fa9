/** Certificates that are over or soon will be: those that the proxy shows, and those that its backends do. */

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { ending } from '../support/backends.ts';
import { authority } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { run } from '../support/programs.ts';
import { executable, nodeBinary, Sluice } from '../support/sluice.ts';

const ca = authority('Test');
const soon = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 5 * 24 * 3_600_000);

it('the proxy’s own and its backends’ are in log and metrics, with their dates', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const own = ca.issue({ names: ['a.example'], expires: soon });
  for (const [name, text] of Object.entries({ 'a.pem': own.cert, 'a.key': own.key, 'ca.pem': ca.cert }))
    writeFileSync(join(folder, name), text);
  const over = await tlsServer({ names: ['localhost'], isExpired: true });
  const good = await tlsServer({ names: ['localhost'], expires: soon });
  const sluice = await Sluice.runIn(
    folder,
    `\
version: 1
listeners:
  web: { bind: 127.0.0.1:0, pool: sessions, tls: { certificates: [{ cert: a.pem, key: a.key }] } }
  plain: { bind: 127.0.0.1:0, pool: sessions }
  other: { bind: 127.0.0.1:0, pool: checks }
pools:
  sessions: { backends: ["localhost:${over}"], connect: { retries: 0, tls: { ca: ca.pem } } }
  checks: { backends: ["127.0.0.1:${good}"], healthCheck: { type: tls, interval: 100ms, tls: { ca: ca.pem, servername: localhost } } }
admin: { bind: 127.0.0.1:0 }
`,
  );
  onTestFinished(() => sluice.stop());
  const expires = soon.toISOString();
  const isSoon = ({ msg }: { msg?: string }) => msg === 'certificate expires soon';
  expect(await sluice.logged(isSoon)).toMatchObject({
    level: 'warn',
    listener: 'web',
    name: 'a.example',
    expires,
  });

  expect((await ending(connect(sluice.port('plain'), '127.0.0.1'))).reset).toBe(true);
  await eventually(async () => {
    const metrics = await sluice.metrics();
    const shown = [...metrics].filter(([series]) => series.includes('certificate_expiry'));
    expect(Object.fromEntries(shown)).toEqual({
      'sluice_certificate_expiry_timestamp_seconds{listener="web",name="a.example"}': soon.getTime() / 1_000,
      [`sluice_backend_certificate_expiry_timestamp_seconds{pool="sessions",backend="127.0.0.1:${over}",name="localhost"}`]:
        Date.parse('2001-01-01T00:00:00Z') / 1_000,
      [`sluice_backend_certificate_expiry_timestamp_seconds{pool="checks",backend="127.0.0.1:${good}",name="localhost"}`]:
        soon.getTime() / 1_000,
    });
  });
});

it('check tells until when they are good, and warns', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const own = ca.issue({ names: ['a.example'], expires: soon });
  const proxy = ca.issue({ names: ['proxy.internal'] });
  const files = { 'a.pem': own.cert, 'a.key': own.key, 'p.pem': proxy.cert, 'p.key': proxy.key };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, 'sluice.yaml');
  writeFileSync(
    file,
    `version: 1
listeners:
  web: { bind: 127.0.0.1:0, pool: app, tls: { certificates: [{ cert: a.pem, key: a.key }] } }
pools:
  app: { backends: ["127.0.0.1:443"], connect: { tls: { cert: p.pem, key: p.key } } }
`,
  );
  const text = await run(nodeBinary, [executable, 'check', '-c', file]);
  expect(text.stdout).toContain(`certificate for a.example, good until ${soon.toISOString().slice(0, 10)}\n`);
  expect(text.stdout).toContain('certificate for proxy.internal, good until 2099-12-31\n');
  expect(text.stderr).toMatch(/Expires on .* GMT, in [45] days/);
  const json = await run(nodeBinary, [executable, 'check', '-c', file, '--json']);
  expect(JSON.parse(json.stdout).certificates).toEqual([
    { listener: 'web', name: 'a.example', expires: soon.toISOString() },
    { pool: 'app', name: 'proxy.internal', expires: '2099-12-31T23:59:59.000Z' },
  ]);
});

async function tlsServer(subject: Parameters<typeof ca.issue>[0]): Promise<number> {
  const server: Server = createServer(ca.issue(subject), (socket) => socket.on('error', () => {}));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port; // A TCP server has one.
}
