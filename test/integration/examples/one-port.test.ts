import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { connected, named, nextText, startBackend, type TestBackend } from '../../support/backends.ts';
import { selfSigned, type TestCertificate } from '../../support/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { installed, output, run } from '../../support/programs.ts';
import type { LogLine } from '../../support/sluice.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { Peer } from '../peers/peer.ts';
import { canRunPostgres, type Postgres, startPostgres } from '../peers/postgres.ts';
import { canRunSshd, type Sshd, startSshd } from '../peers/sshd.ts';
import { type Example, runExample } from './example.ts';

const hasCurl = installed('curl');
const hasRedis = installed('redis-server', 'redis-cli');
const hello = 'mysql speaks first';

describe('config/one-port.yaml', () => {
  const redis = new Peer();
  const certificate = selfSigned('localhost');
  const afterwards = suiteEnds();
  let example: Example;
  let mysql: TestBackend;
  let sshd: Sshd | undefined;
  let postgres: Postgres | undefined;

  beforeAll(async () => {
    const [nobody = 0, redisPort = 0] = await freePorts(2);
    mysql = await startBackend(named(hello));
    const https = await startHttps(certificate);
    for (const stop of [mysql.close, https.close, () => redis.stop()]) afterwards(stop);
    if (canRunSshd) {
      sshd = await startSshd();
      afterwards(sshd.stop);
    }
    if (canRunPostgres) {
      postgres = await startPostgres(certificate);
      afterwards(postgres.stop);
    }
    if (hasRedis) {
      const options = ['--bind', '127.0.0.1', '--save', '', '--dir', redis.path('')];
      await redis.start('redis-server', ['--port', `${redisPort}`, ...options], [redisPort]);
    }
    example = await runExample('one-port', {
      ...{ 22: sshd?.port ?? nobody, 443: https.port, 5432: postgres?.port ?? nobody },
      ...{ 6379: redisPort, 3306: mysql.port },
    });
    afterwards(example.end);
  }, 60_000);

  /** Protocol and pool of each session that this made. */
  async function protocols(make: () => Promise<unknown>): Promise<readonly unknown[]> {
    const before = await everySession();
    await make();
    return (await everySession()).slice(before.length).map((line) => `${line['protocol']} ${line['pool']}`);
  }

  /** The log lines once nobody is there any more. */
  function everySession(): Promise<readonly LogLine[]> {
    return eventually(async () => {
      const { entry } = (await example.sluice.status()).listeners;
      const { sessions } = example.sluice;
      expect([entry?.active, entry?.total]).toEqual([0, sessions.length]);
      return [...sessions];
    });
  }

  it.skipIf(!canRunSshd)('lets ssh in (skipped where OpenSSH is not installed)', async () => {
    const login = sshd?.login(example.port) ?? [];
    const say = async () => expect(await output('ssh', [...login, 'echo hello'])).toBe('hello');
    expect(await protocols(say)).toEqual(['ssh ssh']);
    const bytes = 'x'.repeat(3_000_000);
    expect(await output('ssh', [...login, 'cat'], { input: bytes })).toBe(bytes);
  });

  it.skipIf(!hasCurl)('serves https (skipped where curl is not installed)', async () => {
    const ask = async () =>
      expect(await output('curl', ['-sk', `https://127.0.0.1:${example.port}/`])).toBe('https');
    expect(await protocols(ask)).toEqual(['tls https']);
  });

  it.skipIf(!canRunPostgres).each([
    { sslmode: 'disable', encrypted: 'f' },
    { sslmode: 'require', encrypted: 't' },
    { sslmode: 'prefer', encrypted: 't' },
  ])(
    'serves psql with sslmode=$sslmode (skipped where PostgreSQL is not installed)',
    async ({ sslmode, encrypted }) => {
      const question = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
      const where = `host=127.0.0.1 port=${example.port} user=tester dbname=postgres sslmode=${sslmode}`;
      const ask = async () =>
        expect(await output('psql', ['-X', '-A', '-t', '-c', question, where])).toBe(encrypted);
      expect(await protocols(ask)).toEqual(['postgres postgres']);
    },
  );

  it.skipIf(!hasRedis)('serves redis-cli (skipped where Redis is not installed)', async () => {
    const cli = (...args: readonly string[]) =>
      output('redis-cli', ['-h', '127.0.0.1', '-p', `${example.port}`, ...args]);
    expect(await cli('set', 'name', 'sluice')).toBe('OK');
    const ask = async () => expect(await cli('get', 'name')).toBe('sluice');
    expect(await protocols(ask)).toEqual(['redis redis']);
    const many = Array.from({ length: 5_000 }, () => '*2\r\n$4\r\nincr\r\n$5\r\ncount\r\n').join('');
    const piped = await run('redis-cli', ['-h', '127.0.0.1', '-p', `${example.port}`, '--pipe'], {
      input: many,
    });
    expect(piped.stdout).toContain('errors: 0, replies: 5000');
  });

  it('gives those who are silent to the server that speaks first', async () => {
    const socket = await connected(example.port);
    expect(await nextText(socket)).toBe(hello);
    socket.end();
    expect(await example.session(socket.localPort ?? 0)).toMatchObject({ pool: 'mysql', reason: 'finished' });
  });
});

async function startHttps(certificate: TestCertificate) {
  const open = new Set<Duplex>();
  const server = createHttps(certificate, (_, response) => response.end('https'));
  server.on('connection', (socket) => open.add(socket.on('close', () => open.delete(socket))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // A TCP server that listens has such an address.
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
