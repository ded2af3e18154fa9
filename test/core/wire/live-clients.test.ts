/** What the clients on this machine say first: newer releases of them may say it differently. */
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Sniffer } from '../../../src/core/wire/sniffer.ts';
import { listening } from '../../support/loopback-server.ts';

const nothing = { sni: null, alpn: null, httpHost: null };
const tls = { ...nothing, protocol: 'tls' };
const namedTls = { ...tls, sni: 'api.example.com', alpn: ['h2', 'http/1.1'] };
const http = { ...nothing, protocol: 'http' };
const postgres = { ...nothing, protocol: 'postgres' };

it('Sniffer reads what Node says', async () => {
  const { port, facts } = await sniffing();
  const client = connect({
    port,
    host: '127.0.0.1',
    servername: 'Api.Example.com',
    ALPNProtocols: namedTls.alpn,
  });
  client.on('error', () => {});
  onTestFinished(() => void client.destroy());
  expect(await facts).toEqual(namedTls);
});

describe.skipIf(!says('openssl', ['version'], 'OpenSSL'))('Sniffer (skipped without openssl)', () => {
  const dial = (port: number) => ['s_client', '-connect', `127.0.0.1:${port}`];

  it('reads what openssl says', async () => {
    const { port, facts } = await sniffing();
    start('openssl', [...dial(port), '-servername', 'Api.Example.com', '-alpn', 'h2,http/1.1']);
    expect(await facts).toEqual(namedTls);
  });

  it('reads what openssl says without names', async () => {
    const { port, facts } = await sniffing();
    start('openssl', [...dial(port), '-noservername']);
    expect(await facts).toEqual(tls);
  });

  it('reads what openssl says of TLS 1.2', async () => {
    const { port, facts } = await sniffing();
    start('openssl', [...dial(port), '-tls1_2', '-servername', 'a.test']);
    expect(await facts).toEqual({ ...tls, sni: 'a.test' });
  });

  it('reads a hello that openssl cuts into records of 512 bytes', async () => {
    const { port, facts, bytes } = await sniffing();
    const protocols = Array.from({ length: 80 }, (_, index) => `protocol-${index}`);
    const small = ['-max_send_frag', '512', '-alpn', protocols.join(',')];
    start('openssl', [...dial(port), ...small, '-servername', 'a.test']);
    expect(await facts).toEqual({ ...tls, sni: 'a.test', alpn: protocols });
    expect(bytes()[3]).toBe(2);
    expect(bytes().length).toBeGreaterThan(2 * 512);
  });

  const knowsPostQuantum = says('openssl', ['list', '-kem-algorithms'], 'X25519MLKEM768');
  it.skipIf(!knowsPostQuantum)('reads a post-quantum hello (skipped before OpenSSL 3.5)', async () => {
    const { port, facts, bytes } = await sniffing();
    start('openssl', [...dial(port), '-groups', 'X25519MLKEM768', '-servername', 'a.test']);
    expect(await facts).toEqual({ ...tls, sni: 'a.test' });
    expect(bytes().length).toBeGreaterThan(1216);
  });
});

describe.skipIf(!says('curl', ['--version'], 'HTTP2'))(
  'Sniffer (skipped without a curl that knows HTTP/2)',
  () => {
    const dial = (port: number) => ['--silent', '--insecure', '--connect-to', `::127.0.0.1:${port}`];

    it.each([
      ['over TLS', namedTls, ['https://API.example.com/']],
      ['over HTTP/1', { ...http, httpHost: 'api.example.com' }, ['http://API.example.com:8080/a']],
      ['over HTTP/1.0', { ...http, httpHost: 'api.example.com' }, ['--http1.0', 'http://api.example.com/']],
      [
        'over HTTP/2',
        { ...http, httpHost: undefined },
        ['--http2-prior-knowledge', 'http://api.example.com/'],
      ],
    ])('reads what curl says %s', async (_, expected, args) => {
      const { port, facts } = await sniffing();
      start('curl', [...dial(port), ...args]);
      expect(await facts).toEqual(expected);
    });

    it.each(['http', 'https'])('reads what curl says to a proxy for %s', async (scheme) => {
      const { port, facts } = await sniffing();
      start('curl', ['--silent', '--proxy', `http://127.0.0.1:${port}`, `${scheme}://api.example.com/`]);
      expect(await facts).toEqual({ ...http, httpHost: 'api.example.com' });
    });
  },
);

describe.skipIf(!says('ssh', ['-V'], 'OpenSSH'))('Sniffer (skipped without ssh)', () => {
  it('reads what ssh says', async () => {
    const { port, facts } = await sniffing();
    start('ssh', ['-F', 'none', '-o', 'BatchMode=yes', '-p', `${port}`, 'alice@127.0.0.1']);
    expect(await facts).toEqual({ ...nothing, protocol: 'ssh' });
  });
});

describe.skipIf(!says('psql', ['--version'], 'PostgreSQL'))('Sniffer (skipped without psql)', () => {
  it.each(['require', 'disable'])('reads what psql says with sslmode=%s', async (sslmode) => {
    const { port, facts } = await sniffing();
    start('psql', [
      `host=127.0.0.1 port=${port} user=alice dbname=orders sslmode=${sslmode}`,
      '--no-password',
    ]);
    expect(await facts).toEqual(postgres);
  });
});

describe.skipIf(!says('redis-cli', ['--version'], 'redis-cli'))('Sniffer (skipped without redis-cli)', () => {
  it('reads what redis-cli says', async () => {
    const { port, facts } = await sniffing();
    start('redis-cli', ['-p', `${port}`, 'ping']);
    expect(await facts).toEqual({ ...nothing, protocol: 'redis' });
  });
});

/** Listens for one client, and tells what it learned as soon as it learned all, or as the client has no more to say. */
async function sniffing() {
  const server = createServer();
  const sniffer = new Sniffer();
  let bytes = new Uint8Array();
  const facts = new Promise((resolve) => {
    server.once('connection', (client) => {
      const tell = () => {
        const { protocol } = sniffer;
        const { sni, alpn, httpHost } = sniffer.facts;
        resolve({ protocol, sni, alpn, httpHost });
      };
      client.on('data', (chunk) => {
        bytes = new Uint8Array([...bytes, ...chunk]);
        sniffer.read(bytes);
        if (sniffer.facts.isFinal) tell();
      });
      client.once('close', () => {
        sniffer.end();
        tell();
      });
    });
  });
  const { port } = await listening(server);
  return { port, facts, bytes: () => bytes };
}

/** Runs a client until the test is over, with none of the user's own settings. */
function start(command: string, args: readonly string[]): void {
  const { PATH } = process.env;
  const client = spawn(command, args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH, HOME: '/nonexistent' },
  });
  client.on('error', () => {});
  onTestFinished(() => void client.kill('SIGKILL'));
}

/** Whether the program is there and says the word. */
function says(command: string, args: readonly string[], word: string): boolean {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return `${stdout ?? ''}${stderr ?? ''}`.includes(word);
}
