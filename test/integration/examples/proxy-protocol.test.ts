import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeLocalHeader, encodeProxyHeader } from '../../../src/core/wire/proxy-writing.ts';
import { ending, startBackend, type TestBackend } from '../../support/backends.ts';
import { installed, run } from '../../support/programs.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { headerAt, ipv4Ends, ipv6Ends } from '../peers/proxy-headers.ts';
import { type Example, runExample } from './example.ts';

/** Says who the header told it that the client is, in HTTP. */
async function introduced(backend: Parameters<typeof headerAt>[0]): Promise<void> {
  const { finding } = await headerAt(backend, 'GET / HTTP/1.1\r\n\r\n'.length);
  let who = 'nobody';
  if (finding.state === 'complete' && finding.header.source === 'proxied') {
    const { client, uniqueId = [] } = finding.header;
    who = `${client.address} ${client.port} ${Buffer.from(uniqueId)}`;
  }
  backend.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${who.length}\r\n\r\n${who}`);
}

describe('config/proxy-protocol.yaml', () => {
  const afterwards = suiteEnds();
  let backends: readonly TestBackend[] = [];
  let example: Example;

  beforeAll(async () => {
    const start = () => startBackend((socket) => void introduced(socket));
    backends = await Promise.all([start(), start()]);
    for (const backend of backends) afterwards(backend.close);
    const [first, second] = backends;
    example = await runExample('proxy-protocol', { 9011: first?.port ?? 0, 9012: second?.port ?? 0 });
    afterwards(example.end);
  });

  async function through(header: Uint8Array) {
    const socket = connect({ host: '127.0.0.1', port: example.port });
    socket.write(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n\r\n')]));
    return ending(socket);
  }

  const reasons = () => example.sluice.sessions.map((line) => line['reason']);

  it.each([
    { version: 'v2', ends: ipv4Ends, client: '192.0.2.1:1234' },
    { version: 'v2', ends: ipv6Ends, client: '[2001:db8::1]:65535' },
    { version: 'v1', ends: ipv4Ends, client: '192.0.2.1:1234' },
  ] as const)('goes by the client that $version announces: $client', async ({ version, ends, client }) => {
    const before = example.sluice.sessions.length;
    const { text } = await through(encodeProxyHeader(version, ends));
    const [address, port, id] = text.split('\r\n\r\n')[1]?.split(' ') ?? [];
    expect([address, Number(port)]).toEqual([ends.client.address, ends.client.port]);
    await example.sluice.logged(() => example.sluice.sessions.length > before);
    expect(example.sluice.sessions[before]).toMatchObject({ client, reason: 'finished', uniqueId: id });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('gives one client the same backend each time', async () => {
    const totals = async () =>
      (await example.sluice.status()).pools['app']?.backends.map(({ total }) => total) ?? [];
    const before = await totals();
    for (let time = 0; time < 5; time++) await through(encodeProxyHeader('v2', ipv4Ends));
    const more = (await totals()).map((total, index) => total - (before[index] ?? 0));
    expect(more.sort()).toEqual([0, 5]);
  });

  it('lets a balancer’s own checks through, which announce nobody', async () => {
    const { text } = await through(encodeLocalHeader('v2'));
    expect(text).toMatch(/\r\n\r\n127\.0\.0\.1 /);
  });

  it('denies by the announced address', async () => {
    const client = { address: '203.0.113.9', port: 1 };
    const { reset } = await through(encodeProxyHeader('v2', { ...ipv4Ends, client }));
    expect(reset).toBe(true);
    await example.sluice.logged((line) => line['reason'] === 'denied' && line['client'] === '203.0.113.9:1');
  });

  it('refuses who sends no header', async () => {
    const before = reasons().filter((reason) => reason === 'bad-proxy-header').length;
    expect(await through(new Uint8Array())).toEqual({ text: '', reset: true });
    await example.sluice.logged(
      () => reasons().filter((reason) => reason === 'bad-proxy-header').length > before,
    );
  });

  it.skipIf(!installed('curl'))('takes what curl sends (skipped where curl is not installed)', async () => {
    const ask = ['-s', '--haproxy-protocol', '--interface', '127.0.0.5'];
    const { stdout } = await run('curl', [...ask, `http://127.0.0.1:${example.port}`]);
    expect(stdout).toMatch(/^127\.0\.0\.5 /);
  });
});
