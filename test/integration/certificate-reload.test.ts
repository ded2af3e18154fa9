import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { echo, startBackend, type TestBackend } from '../support/backends.ts';
import { selfSigned } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { type LogLine, Sluice } from '../support/sluice.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const old = selfSigned('old.example.com');
const next = selfSigned('new.example.com');

it.each(['SIGHUP', '--watch'])(
  '%s brings a changed certificate to new clients and leaves those who are there',
  async (how) => {
    const { sluice, folder } = await start(how === '--watch' ? ['--watch'] : []);
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    const reload = (): void => {
      if (how === 'SIGHUP') sluice.signal('SIGHUP');
    };
    const early = await client(sluice);
    expect(nameOf(early)).toBe('old.example.com');

    // As such files are replaced: one after the other, so that for a moment the two don't fit.
    write('cert.pem', next.cert);
    reload();
    const isRefusal = ({ msg }: LogLine) => msg === 'configuration not reloaded';
    const refusal = await sluice.logged(isRefusal);
    expect(refusal).toMatchObject({ path: 'listeners.web.tls.certificates[0].key', level: 'error' });
    expect(nameOf(await client(sluice))).toBe('old.example.com');

    write('key.pem', next.key);
    reload();
    await eventually(async () => expect(nameOf(await client(sluice))).toBe('new.example.com'));

    for (const text of ['still', 'here']) {
      early.write(text);
      const [answer]: unknown[] = await once(early, 'data');
      expect(String(answer)).toBe(text);
    }
  },
);

async function start(args: readonly string[]) {
  const backend: TestBackend = await startBackend(echo);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  writeFileSync(join(folder, 'cert.pem'), old.cert);
  writeFileSync(join(folder, 'key.pem'), old.key);
  const config = `\
version: 1
listeners:
  web:
    bind: 127.0.0.1:0
    pool: app
    tls:
      certificates: [{ cert: cert.pem, key: key.pem }]
pools:
  app: { backends: ["${backend.address}"] }
`;
  const sluice = await Sluice.runIn(folder, config, args);
  ends.push(backend.close, async () => {
    sluice.signal('SIGTERM');
    expect(await sluice.ended, sluice.stderr).toBe(0);
    await sluice.stop();
  });
  return { sluice, folder };
}

async function client(sluice: Sluice): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: sluice.port('web'), rejectUnauthorized: false });
  ends.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

function nameOf(socket: TLSSocket): unknown {
  return socket.getPeerCertificate().subject.CN;
}
