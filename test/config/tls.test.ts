import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { describe, expect, it, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { authority, selfSigned } from '../support/certificate.ts';
import { configOf, readFrom } from '../support/configuration.ts';

const a = selfSigned('a.example');
const b = selfSigned('b.example');
const ca = authority('ours');
const more = {
  both: ca.issue({ names: ['a.example', 'b.example'] }),
  rsa: ca.issue({ names: ['a.example', 'b.example'], kind: 'rsa' }),
  wild: ca.issue({ names: ['*.example'] }),
  address: ca.issue({ names: ['192.0.2.1'] }),
  tiny: ca.issue({ names: ['tiny.example'], kind: 'tiny-rsa' }),
};
const files: Readonly<Record<string, string>> = {
  '/etc/sluice/a.pem': a.cert,
  '/etc/sluice/a.key': a.key,
  '/etc/sluice/b.pem': b.cert,
  '/etc/sluice/b.key': b.key,
  ...Object.fromEntries(
    Object.entries(more).flatMap(([name, { cert, key }]) => [
      [`/etc/sluice/${name}.pem`, cert],
      [`/etc/sluice/${name}.key`, key],
    ]),
  ),
  '/etc/sluice/damaged.pem': a.cert.replace(/[A-Za-z0-9+/]{20}/, 'AAAAAAAAAAAAAAAAAAAA'),
  '/etc/sluice/locked.key':
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n',
  '/etc/sluice/broken.key': a.key.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
  '/etc/sluice/a.der': new X509Certificate(a.cert).raw.toString(),
  '/etc/sluice/words.txt': 'no certificate',
};

describe('tls of a listener', () => {
  it('reads certificates with their keys, and fills in the rest', () => {
    const tls = listenerTls('{ certificates: [{ cert: a.pem, key: a.key }, { cert: b.pem, key: b.key }] }');
    expect(tls).toEqual({
      certificates: [a, b],
      minVersion: 'TLSv1.2',
      alpn: [],
      clientAuth: 'off',
      clientCa: undefined,
      handshakeTimeoutMs: 5_000,
    });
  });

  it('reads what the file sets', () => {
    const tls = listenerTls(
      '{ certificates: [{ cert: a.pem, key: a.key }], minVersion: TLSv1.3, alpn: [h2], clientAuth: required, clientCa: b.pem, handshakeTimeout: 1s }',
    );
    expect(tls).toMatchObject({
      minVersion: 'TLSv1.3',
      alpn: ['h2'],
      clientAuth: 'required',
      clientCa: b.cert,
      handshakeTimeoutMs: 1_000,
    });
  });

  it.each([
    ['{ certificates: [] }', 'Expected a list of at least one mapping with "cert" and "key"'],
    ['{ certificates: [{ cert: a.pem }] }', 'Missing key "key"'],
    [
      '{ certificates: [{ cert: a.pem, key: b.key }] }',
      'Expected the key of a.pem, found another in /etc/sluice/b.key',
    ],
    ['{ certificates: [{ cert: gone.pem, key: a.key }] }', 'Cannot read /etc/sluice/gone.pem'],
    ['{ certificates: [{ cert: words.txt, key: a.key }] }', 'found none in /etc/sluice/words.txt'],
    ['{ certificates: [{ cert: damaged.pem, key: a.key }] }', 'found one that is damaged'],
    ['{ certificates: [{ cert: tiny.pem, key: tiny.key }] }', 'takes, found one with ee key too small'],
    ['{ certificates: [{ cert: a.pem, key: words.txt }] }', 'found none in /etc/sluice/words.txt'],
    [
      '{ certificates: [{ cert: a.pem, key: locked.key }] }',
      'found an encrypted one in /etc/sluice/locked.key',
    ],
    ['{ certificates: [{ cert: a.pem, key: a.pem }] }', 'found a certificate in /etc/sluice/a.pem'],
    [
      '{ certificates: [{ cert: a.pem, key: broken.key }] }',
      'found one that is damaged in /etc/sluice/broken.key',
    ],
    ['{ certificates: [{ cert: a.key, key: a.key }] }', 'found a private key in /etc/sluice/a.key'],
    [
      '{ certificates: [{ cert: a.der, key: a.key }] }',
      'found DER in /etc/sluice/a.der; "openssl x509 -inform der"',
    ],
    ['{ certificates: [{ cert: a.pem, key: a.key }], clientAuth: required }', 'Missing key "clientCa"'],
    [
      '{ certificates: [{ cert: a.pem, key: a.key }], minVersion: TLSv1.1 }',
      'Expected "TLSv1.2" or "TLSv1.3"',
    ],
  ])('%s is a mistake', (text, message) => {
    expect(messages(`    tls: ${text}`)).toContain(message);
  });
});

test('A good key beside a certificate that is none is not blamed, whatever OpenSSL was asked before', () => {
  expect(() => createSecureContext({ ecdhCurve: 'none' })).toThrow();
  expect(messages('    tls: { certificates: [{ cert: words.txt, key: a.key }] }')).toBe(
    'Expected a PEM file with certificates, found none in /etc/sluice/words.txt',
  );
});

describe('certificates of a listener', () => {
  const warnings = (...names: string[]) => {
    const lines = names.map((name) => `        - { cert: ${name}.pem, key: ${name}.key }`);
    const result = load(`    tls:\n      certificates:\n${lines.join('\n')}`);
    if (!result.ok) throw new Error('Expected no mistake');
    return result.warnings.map(({ line, column, message }) => `${line}:${column} ${message}`);
  };

  it.each([[['a', 'b']], [['both', 'rsa']], [['a', 'rsa']], [['wild', 'a']], [['address']]])(
    'may be %j',
    (names) => {
      expect(warnings(...names)).toEqual([]);
    },
  );

  it('are told that are never shown, or not where they could be', () => {
    expect(warnings('a', 'a')).toEqual([
      '9:13 Is never shown for a.example: a.pem comes first, with an EC key too',
    ]);
    expect(warnings('both', 'b')).toEqual([
      '9:13 Is never shown for b.example: both.pem comes first, with an EC key too',
    ]);
    expect(warnings('a', 'wild', 'rsa', 'both')).toEqual([
      '11:13 Is not shown for a.example: a.pem comes first, with an EC key too',
    ]);
    expect(warnings('a', 'address')).toEqual(['9:13 Is never shown, as it is for no DNS name']);
  });
});

describe('connect.tls of a pool', () => {
  it('verifies unless told not to, and is off by default', () => {
    expect(backendTls('{}')).toEqual({
      servername: undefined,
      ca: undefined,
      verify: true,
      cert: undefined,
      key: undefined,
    });
    expect(backendTls('off')).toBe('off');
    expect(backendTls('{ servername: app.internal, ca: b.pem, cert: a.pem, key: a.key }')).toEqual({
      servername: 'app.internal',
      ca: b.cert,
      verify: true,
      ...a,
    });
  });

  it.each([
    ['{ cert: a.pem }', 'Missing key "key", which belongs to it'],
    ['{ key: a.key }', 'Missing key "cert", which belongs to it'],
    ['{ cert: a.pem, key: b.key }', 'Expected the key of a.pem'],
    ['{ ca: words.txt }', 'Expected a PEM file with certificates'],
  ])('%s is a mistake', (text, message) => {
    expect(messages('', `{ tls: ${text} }`)).toContain(message);
  });
});

describe('httpHost where TLS is terminated', () => {
  const warnings = (alpn: string, when: string) => {
    const config = load(
      `    tls: { certificates: [{ cert: a.pem, key: a.key }], alpn: ${alpn} }\n    routes: [{ when: ${when}, pool: app }]`,
      '{}',
    );
    return config.ok ? config.warnings.map(({ path }) => path) : ['a mistake'];
  };

  it('warns of HTTP/2, whose host is not read', () => {
    expect(warnings('[h2, http/1.1]', '{ httpHost: a.example }')).toEqual([
      'listeners.web.routes[0].when.httpHost',
    ]);
    expect(warnings('[http/1.1]', '{ httpHost: a.example }')).toEqual([]);
    expect(warnings('[h2, http/1.1]', '{ sni: a.example }')).toEqual([]);
  });
});

describe('PROXY protocol', () => {
  it('is read in both directions', () => {
    const config = load(
      '    proxyProtocol: { mode: optional, from: [10.0.0.0/8], timeout: 1s }',
      '{ proxyProtocol: v1 }',
    );
    expect(config.ok && config.config.listeners[0]?.policy.proxyProtocol).toMatchObject({
      mode: 'optional',
      timeoutMs: 1_000,
    });
    expect(config.ok && config.config.pools[0]?.policy.connect.proxyProtocol).toEqual({
      version: 'v1',
      include: [],
    });
  });

  it('believes who comes over a unix socket only where "from" says so, and warns of a listener that believes nobody', () => {
    const policyOf = (from: string) => {
      const config = load(`    proxyProtocol: { mode: required, from: ${from} }`, '{}');
      const policy = config.ok ? config.config.listeners[0]?.policy.proxyProtocol : undefined;
      return typeof policy === 'object' && [policy.fromUnix, policy.from.ranges];
    };
    expect(policyOf('[10.0.0.0/8]')).toEqual([false, 1]);
    expect(policyOf('[unix, 10.0.0.0/8]')).toEqual([true, 1]);
    expect(policyOf('[unix]')).toEqual([true, 0]);
    const warnings = (from: string) => {
      const config = parseConfig(
        `version: 1\nlisteners: { web: { bind: [":0", "unix:/run/a.sock"], pool: app, proxyProtocol: { mode: optional, from: ${from} } } }\npools: { app: { backends: ["127.0.0.1:1"] } }`,
        { file: '/etc/sluice/sluice.yaml', env: {} },
      );
      return config.ok ? config.warnings.map(({ message }) => message) : ['a mistake'];
    };
    expect(warnings('[10.0.0.0/8]')).toEqual([
      'Believes nobody over a unix socket, where "from" lacks "unix"',
    ]);
    expect(warnings('[unix, 10.0.0.0/8]')).toEqual([]);
  });

  it.each(['off', '{ mode: off }'])('is off where it says %s', (text) => {
    const config = load(`    proxyProtocol: ${text}`, '{ proxyProtocol: off }');
    expect(config.ok && config.config.listeners[0]?.policy.proxyProtocol).toBe('off');
    expect(config.ok && config.config.pools[0]?.policy.connect.proxyProtocol).toBe('off');
  });

  it.each([
    ['{ mode: required }', 'off', 'Missing key "from"'],
    ['{ from: [10.0.0.0/8] }', 'off', 'Missing key "mode"'],
    ['{ mode: required, from: [] }', 'off', 'Expected'],
    ['{ mode: required, from: [nobody] }', 'off', 'Expected a network'],
    ['off', 'v3', 'Expected'],
    ['off', '{ version: v1, include: [sni] }', 'Key "include" goes with version "v2", found version "v1"'],
    ['off', '{ version: v2, include: [sni, sni] }', 'Expected'],
  ])('%s and %s is a mistake', (accepted, sent, message) => {
    expect(messages(`    proxyProtocol: ${accepted}`, `{ proxyProtocol: ${sent} }`)).toContain(message);
  });
});

function load(listener: string, connect = '{}') {
  const text = `version: 1
listeners:
  web:
    bind: 127.0.0.1:8080
    pool: app
${listener}
pools:
  app:
    backends: ["127.0.0.1:1"]
    connect: ${connect}
`;
  return parseConfig(text, { file: '/etc/sluice/sluice.yaml', env: {}, readFile: readFrom(files) });
}

function messages(listener: string, connect?: string): string {
  const result = load(listener, connect);
  return result.ok ? 'no mistake' : result.issues.map(({ message }) => message).join('\n');
}

function listenerTls(text: string) {
  return configOf(load(`    tls: ${text}`)).listeners[0]?.policy.tls;
}

function backendTls(text: string) {
  return configOf(load('', `{ tls: ${text} }`)).pools[0]?.policy.connect.tls;
}
