import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { startBackend } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import { installed, output, run } from '../../support/programs.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { Peer } from '../peers/peer.ts';
import { certifiedFolder, type Example, runExample } from './example.ts';
import { web } from './web.ts';

describe.skipIf(!installed('curl', 'openssl'))(
  'config/tls.yaml (skipped where curl or OpenSSL is not installed)',
  () => {
    const afterwards = suiteEnds();
    let folder: string;
    let example: Example;

    beforeAll(async () => {
      folder = await certifiedFolder();
      const site = await startBackend(web('site'));
      afterwards(site.close);
      const internal = new Peer();
      afterwards(() => internal.stop());
      const [port = 0] = await freePorts(1);
      const pair = ['-cert', certificate('backend.pem'), '-key', certificate('backend.key')];
      await internal.start('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, ...pair, '-www'], [port]);
      example = await runExample('tls', { 9001: site.port, 9444: port }, { folder });
      afterwards(example.end);
    }, 60_000);

    const certificate = (name: string) => join(folder, 'certs', name);

    const ask = (name: string, ...more: readonly string[]) => {
      const there = `${name}:${example.port}`;
      const known = ['--cacert', certificate('ca.pem'), '--resolve', `${there}:127.0.0.1`];
      return output('curl', ['-sS', ...known, ...more, `https://${there}/`]);
    };

    const shake = (...more: readonly string[]) =>
      run('openssl', ['s_client', '-connect', `127.0.0.1:${example.port}`, '-brief', ...more]);

    /** How many handshakes failed. */
    const failed = async () => (await example.reasons())['tls-failed'] ?? 0;

    it.each(['localhost', 'a.example.com'])('ends the TLS of curl, which asks for %s', async (name) => {
      expect(await ask(name, '--tlsv1.3')).toBe('site');
      expect(await ask(name, '--tls-max', '1.2')).toBe('site');
    });

    it.each(['b.example.com', 'eu.b.example.com'])(
      'routes by what TLS carried, and speaks TLS to the backend for %s',
      async (name) => {
        const said = await ask(name);
        // What `openssl s_server -www` answers with.
        expect(said).toContain('s_server');
        expect(said).toMatch(/Protocol *: TLSv1\.3/);
      },
    );

    it('shows the first certificate where none fits', async () => {
      for (const flags of [['-servername', 'other.example.com'], ['-noservername']]) {
        expect((await shake(...flags)).stderr).toMatch(/Peer certificate: CN = a\.example\.com$/m);
      }
      expect((await shake('-servername', 'b.example.com')).stderr).toMatch(/CN = b\.example\.com$/m);
    });

    it.each([
      { what: 'TLS 1.1', flags: ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'] },
      { what: 'no shared cipher', flags: ['-tls1_2', '-cipher', 'NULL-SHA256:@SECLEVEL=0'] },
      { what: 'no shared protocol', flags: ['-alpn', 'h2'] },
    ])('refuses and counts $what', async ({ flags }) => {
      const before = await failed();
      const { code } = await shake(...flags);
      expect(code).not.toBe(0);
      await eventually(async () => expect(await failed()).toBe(before + 1));
    });

    it('refuses and counts plain text', async () => {
      const before = await failed();
      const { code } = await run('curl', ['-sS', `http://127.0.0.1:${example.port}/`]);
      expect(code).not.toBe(0);
      await eventually(async () => expect(await failed()).toBe(before + 1));
    });

    it('resumes a session, on whichever worker', async () => {
      const ticket = join(folder, 'ticket');
      const asked = `GET / HTTP/1.1\r\nHost: a\r\n\r\n`;
      const args = ['s_client', '-connect', `127.0.0.1:${example.port}`, '-ign_eof'];
      await run('openssl', [...args, '-sess_out', ticket], { input: asked });
      for (let time = 0; time < 6; time++) {
        const { stdout } = await run('openssl', [...args, '-sess_in', ticket], { input: asked });
        expect(stdout).toMatch(/^Reused, TLSv1\.3/m);
      }
    });

    it.skipIf(!installed('sslscan'))(
      'offers sslscan nothing weak (skipped where it is not installed)',
      async () => {
        const xml = await output('sslscan', ['--no-colour', '--xml=-', `127.0.0.1:${example.port}`]);
        const enabled = [...xml.matchAll(/<protocol type="(\w+)" version="([\d.]+)" enabled="1"/g)];
        expect(enabled.map(([, type, version]) => `${type} ${version}`).sort()).toEqual([
          'tls 1.2',
          'tls 1.3',
        ]);
        const ciphers = [...xml.matchAll(/<cipher .*cipher="([^"]+)".*strength="(\w+)"/g)];
        expect(ciphers.length).toBeGreaterThan(3);
        for (const [, cipher, strength] of ciphers) {
          expect(`${cipher} ${strength}`).toMatch(/(GCM|CHACHA20).* (strong|acceptable)$/);
        }
        expect(xml).not.toMatch(/vulnerable="1"|<compression supported="1"|<renegotiation supported="1"/);
      },
    );
  },
);
