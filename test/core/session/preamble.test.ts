import { describe, expect, it } from 'vitest';
import { parseAddressRange } from '../../../src/core/access/address-range.ts';
import { compileAddressSet } from '../../../src/core/access/address-set.ts';
import type { Command } from '../../../src/core/contract.ts';
import type { ListenerPolicy, SentProxyProtocol } from '../../../src/core/plan.ts';
import type { ProxyHeader } from '../../../src/core/wire/proxy-header.ts';
import { ProxyHeaderParser } from '../../../src/core/wire/proxy-reading.ts';
import { encodeProxyHeader } from '../../../src/core/wire/proxy-writing.ts';
import { CoreStage, listenerPlan, planOf, poolPlan, poolPolicy } from '../harness.ts';

const client = { address: '198.51.100.7', port: 5_000 };
/** As the harness answers `arrivedAt`. */
const ours = { address: '203.0.113.1', port: 443 };

describe('Session whose pool wants PROXY protocol', () => {
  it('sends its ends ahead, in the version that is asked for', () => {
    const v1 = stageOf({ version: 'v1', include: [] });
    expect(textOf(sent(v1.connect(client).commands))).toBe(
      'PROXY TCP4 198.51.100.7 203.0.113.1 5000 443\r\n',
    );
    const v2 = stageOf({ version: 'v2', include: [] });
    expect(headerOf(sent(v2.connect(client).commands))).toEqual({
      source: 'proxied',
      client,
      destination: ours,
    });
  });

  it('sends the same with each dial', () => {
    const stage = stageOf({ version: 'v2', include: ['unique-id'] });
    const { session, commands } = stage.connect(client);
    const again = stage.failDial(session);
    expect(sent(again)).toEqual(sent(commands));
  });

  it('sends nothing where it is off', () => {
    const stage = stageOf('off');
    expect(sent(stage.connect(client).commands)).toBeUndefined();
  });

  it('logs the unique id that it sends, another for each session', () => {
    const stage = stageOf({ version: 'v2', include: ['unique-id', 'crc32c'] });
    const ids = [0, 1].map(() => {
      const { session, commands } = stage.connect(client);
      stage.dialed(session);
      stage.end(session);
      const header = headerOf(sent(commands));
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
    const commands = stage.say({ kind: 'received', session, bytes });
    expect(headerOf(sent(commands))).toEqual({ source: 'proxied', client, destination, uniqueId });
    stage.dialed(session);
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({ client, uniqueId: '00ff' });
  });

  it('tells SNI and ALPN as a handshake settled them', () => {
    const tls = {
      certificates: [],
      minVersion: 'TLSv1.2',
      alpn: ['h2'],
      clientAuth: 'off',
      clientCa: undefined,
      handshakeTimeoutMs: 5_000,
    } as const;
    const stage = stageOf({ version: 'v2', include: ['sni', 'alpn'] }, { tls });
    const { session } = stage.connect(client);
    const commands = stage.say({ kind: 'secured', session, sni: 'a.example', alpn: 'h2' });
    expect(headerOf(sent(commands))).toMatchObject({ authority: 'a.example', alpn: 'h2' });
  });
});

function stageOf(proxyProtocol: SentProxyProtocol | 'off', policy: Partial<ListenerPolicy> = {}): CoreStage {
  return new CoreStage(
    planOf(poolPlan(2, { connect: { ...poolPolicy.connect, proxyProtocol } }), listenerPlan(policy)),
  );
}

function sent(commands: readonly Command[]): Uint8Array | undefined {
  const dial = commands.find((command) => command.kind === 'dial');
  expect(dial).toBeDefined();
  return dial?.preamble;
}

function headerOf(bytes: Uint8Array = new Uint8Array()): ProxyHeader | undefined {
  const found = new ProxyHeaderParser().read(bytes);
  return found.state === 'found' && found.length === bytes.length ? found.header : undefined;
}

function textOf(bytes: Uint8Array = new Uint8Array()): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
