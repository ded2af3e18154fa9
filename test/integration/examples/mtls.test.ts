import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../support/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { installed, output, run } from '../../support/programs.ts';
import type { LogLine } from '../../support/sluice.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { canRunPostgres, startPostgres } from '../peers/postgres.ts';
import { certifiedFolder, type Example, runExample } from './example.ts';

const canRun = canRunPostgres && installed('openssl');

describe.skipIf(!canRun)('config/mtls.yaml (skipped where PostgreSQL or OpenSSL is not installed)', () => {
  const afterwards = suiteEnds();
  let folder: string;
  let example: Example;

  beforeAll(async () => {
    folder = await certifiedFolder();
    const postgres = await startPostgres();
    afterwards(postgres.stop);
    example = await runExample('mtls', { 5432: postgres.port }, { folder });
    afterwards(example.end);
  }, 60_000);

  const certificate = (name: string) => join(folder, 'certs', name);

  function ask(host: string, options: Readonly<Record<string, string>>) {
    const where = {
      host,
      hostaddr: '127.0.0.1',
      port: `${example.port}`,
      user: 'tester',
      dbname: 'postgres',
    };
    const all = Object.entries({ ...where, ...options }).map(([key, value]) => `${key}=${value}`);
    return ['psql', ['-X', '-A', '-t', '-c', 'select 6 * 7', all.join(' ')]] as const;
  }

  /** What psql says when it is not let in, and that it was counted. */
  async function refused(options: Readonly<Record<string, string>>): Promise<string> {
    const before = (await example.reasons())['tls-failed'] ?? 0;
    const { code, stderr } = await run(...ask('localhost', options));
    expect(code).not.toBe(0);
    await eventually(async () => expect((await example.reasons())['tls-failed']).toBe(before + 1));
    return stderr;
  }

  const alice = () => ({
    ...{ sslmode: 'verify-full', sslrootcert: certificate('ca.pem') },
    ...{ sslcert: certificate('client.pem'), sslkey: certificate('client.key') },
  });

  it('lets psql in that knows the authority, and shows a certificate', async () => {
    expect(await output(...ask('localhost', alice()))).toBe('42');
    expect(await output(...ask('a.example.com', alice()))).toBe('42');
    const isServed = (line: LogLine) => line['reason'] === 'finished' && line['pool'] === 'postgres';
    expect(await example.sluice.logged(isServed)).toMatchObject({
      sni: expect.any(String),
      protocol: 'tls',
      tlsVersion: 'TLSv1.3',
      clientSubject: expect.stringContaining('CN='),
    });
  });

  it('shows psql a certificate for its name and no other', async () => {
    const { stderr } = await run(...ask('b.example.com', alice()));
    expect(stderr).toContain('does not match host name "b.example.com"');
  });

  it('refuses who shows no certificate', async () => {
    const { sslcert, sslkey, ...nobody } = alice();
    expect([sslcert, sslkey]).toHaveLength(2);
    await refused({ ...nobody, sslcert: '/nonexistent', sslkey: '/nonexistent' });
  });

  it('refuses a certificate of another authority, and says so to psql and in the log', async () => {
    const { cert, key } = selfSigned('stranger.example');
    const [sslcert, sslkey] = [certificate('stranger.pem'), certificate('stranger.key')];
    writeFileSync(sslcert, cert);
    writeFileSync(sslkey, key, { mode: 0o600 });
    expect(await refused({ ...alice(), sslcert, sslkey })).toContain('unknown ca');
    await example.sluice.logged(
      (line) =>
        line['sni'] === 'localhost' && line['detail'] === 'client certificate: self-signed certificate',
    );
  });

  it('refuses the certificate of a server', async () => {
    await refused({ ...alice(), sslcert: certificate('b.pem'), sslkey: certificate('b.key') });
  });

  it('refuses who does not ask for TLS', async () => {
    await refused({ sslmode: 'disable' });
  });

  it('takes nothing older than TLS 1.3', async () => {
    await refused({ ...alice(), ssl_max_protocol_version: 'TLSv1.2' });
  });

  it('lets OpenSSL in by the same question', async () => {
    const { stderr } = await run('openssl', [
      ...['s_client', '-starttls', 'postgres', '-connect', `127.0.0.1:${example.port}`, '-brief'],
      ...['-cert', certificate('client.pem'), '-key', certificate('client.key')],
      ...['-CAfile', certificate('ca.pem'), '-verify_hostname', 'localhost', '-verify_return_error'],
    ]);
    expect(stderr).toContain('Verification: OK');
    expect(stderr).toContain('Protocol version: TLSv1.3');
  });
});
