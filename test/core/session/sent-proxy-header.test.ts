import { describe, expect, it } from 'vitest';
import { parseAddressRange } from '../../../src/core/access/address-range.ts';
import { compileAddressSet } from '../../../src/core/access/address-set.ts';
import type { Command } from '../../../src/core/contract.ts';
import type { ListenerPolicy, PoolPolicy, SentProxyProtocol } from '../../../src/core/plan.ts';
import type { ProxyHeader } from '../../../src/core/wire/proxy-header.ts';
import { ProxyHeaderParser } from '../../../src/core/wire/proxy-reading.ts';
import { encodeProxyHeader } from '../../../src/core/wire/proxy-writing.ts';
import { CoreStage, endpoint, listenerPlan, listenerTls, planOf, poolPlan, poolPolicy } from '../harness.ts';
import { hello, serverName } from '../wire/hello.ts';

const client = { address: '198.51.100.7', port: 5_000 };
/** As the harness answers `localEndpoint`. */
const ours = { address: '203.0.113.1', port: 443 };

describe('Session whose pool wants PROXY protocol', () => {
  it('sends its ends ahead, in the version that is asked for', () => {
    const v1 = stageOf({ version: 'v1', include: [] });
    expect(textOf(sent(v1, client))).toBe('PROXY TCP4 198.51.100.7 203.0.113.1 5000 443\r\n');
    const v2 = stageOf({ version: 'v2', include: [] });
    expect(headerOf(sent(v2, client))).toEqual({
      source: 'proxied',
      client,
      destination: ours,
    });
  });

  it('makes the header once a dial has succeeded', () => {
    const stage = stageOf({ version: 'v2', include: ['unique-id'] });
    const { session, commands } = stage.connect(client);
    const again = stage.failDial(session);
    expect([...commands, ...again].map(({ kind }) => kind)).toEqual(['connect', 'connect']);
    expect(headerOf(firstOf(stage.dialed(session)))).toMatchObject({ client });
  });

  it('sends it ahead of TLS to the backend', () => {
    const tls = { servername: undefined, ca: undefined, verify: true, cert: undefined, key: undefined };
    const stage = stageOf({ version: 'v2', include: [] }, {}, { tls });
    const { session } = stage.connect(client);
    const [start, ...others] = stage.dialed(session);
    expect(others).toEqual([]);
    expect(start).toMatchObject({ kind: 'start-tls', as: 'client', serverName: '10.0.0.1' });
    expect(
      headerOf(start?.kind === 'start-tls' && start.as === 'client' ? start.first : undefined),
    ).toMatchObject({
      client,
    });
    expect(stage.establish(session)).toEqual([stage.joinOf(session)]);
  });

  it('sends nothing where it is off', () => {
    const stage = stageOf('off');
    expect(sent(stage, client)).toBeUndefined();
  });

  it('logs the unique id that it sends, another for each session', () => {
    const stage = stageOf({ version: 'v2', include: ['unique-id', 'crc32c'] });
    const ids = [0, 1].map(() => {
      const { session } = stage.connect(client);
      const header = headerOf(firstOf(stage.dialed(session)));
      stage.end(session);
      expect(stage.lastRecord?.uniqueId).toMatch(/^[0-9a-f]{32}$/);
      expect(header).toMatchObject({ uniqueId: bytesOf(stage.lastRecord?.uniqueId ?? '') });
      return stage.lastRecord?.uniqueId;
    });
    expect(new Set(ids).size).toBe(2);
  });

  it('passes on what a header of another proxy announced', () => {
    const range = parseAddressRange('10.0.0.0/8');
    const from = compileAddressSet(range === undefined ? [] : [range]);
    const stage = stageOf(
      { version: 'v2', include: ['unique-id'] },
      { proxyProtocol: { mode: 'required', fromUnix: false, from, timeoutMs: 3_000 } },
    );
    const destination = { address: '192.0.2.80', port: 80 };
    const uniqueId = Uint8Array.of(0, 255);
    const bytes = encodeProxyHeader('v2', { client, destination }, { uniqueId });
    const { session } = stage.connect({ address: '10.0.0.1', port: 1 });
    stage.say({ kind: 'received', link: session, bytes });
    const header = headerOf(firstOf(stage.dialed(session)));
    expect(header).toEqual({ source: 'proxied', client, destination, uniqueId });
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({
      client: endpoint(client.address, client.port),
      uniqueId: '00ff',
    });
  });

  it('tells SNI and ALPN as a handshake settled them', () => {
    const tls = { ...listenerTls, alpn: ['h2'] };
    const stage = stageOf({ version: 'v2', include: ['sni', 'alpn'] }, { tls });
    const { session } = stage.connect(client);
    stage.say({ kind: 'received', link: session, bytes: hello({ extensions: [serverName('a.example')] }) });
    stage.secure(session, 'h2');
    const header = headerOf(firstOf(stage.dialed(session)));
    expect(header).toMatchObject({ authority: 'a.example', alpn: 'h2' });
  });
});

function stageOf(
  proxyProtocol: SentProxyProtocol | 'off',
  policy: Partial<ListenerPolicy> = {},
  connect: Partial<PoolPolicy['connect']> = {},
): CoreStage {
  const pool = poolPlan(2, { connect: { ...poolPolicy.connect, ...connect, proxyProtocol } });
  return new CoreStage(planOf(pool, listenerPlan(policy)));
}

/** What goes ahead of the bytes of a client that comes and is relayed. */
function sent(stage: CoreStage, from: typeof client): Uint8Array | undefined {
  return firstOf(stage.dialed(stage.connect(from).session));
}

function firstOf(commands: readonly Command[]): Uint8Array | undefined {
  const join = commands.find((command) => command.kind === 'join');
  expect(join).toBeDefined();
  return join?.first;
}

function headerOf(bytes: Uint8Array = new Uint8Array()): ProxyHeader | undefined {
  const found = new ProxyHeaderParser().read(bytes);
  return found.state === 'complete' && found.length === bytes.length ? found.header : undefined;
}

function textOf(bytes: Uint8Array = new Uint8Array()): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
