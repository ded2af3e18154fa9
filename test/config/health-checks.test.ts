import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { questionOf } from '../../src/control/health/question.ts';
import type { Address } from '../../src/core/plan.ts';
import { authority } from '../support/certificate.ts';
import { configOf, readFrom } from '../support/configuration.ts';

const ca = authority('Backends CA');
const proxies = authority('Proxies CA');
const own = proxies.issue({ names: ['proxy'] });
const check = proxies.issue({ names: ['check'] });
const files: Readonly<Record<string, string>> = {
  '/ca.pem': ca.cert,
  '/proxy.pem': own.cert,
  '/proxy.key': own.key,
  '/check.pem': check.cert,
  '/check.key': check.key,
};

interface Backend {
  readonly address: Address;
  readonly hostName: string | undefined;
}

const byName: Backend = { address: { host: '10.0.0.1', port: 9000 }, hostName: 'app.internal' };
const byAddress: Backend = { address: { host: '10.0.0.1', port: 9000 }, hostName: undefined };

/** The question to a backend of a pool with these keys, in YAML's flow style. */
function question(connect: string, healthCheck: string, backend = byName) {
  const text = `version: 1
listeners: { web: { bind: "127.0.0.1:0", pool: app } }
pools: { app: { backends: ["10.0.0.1:9000"], connect: ${connect}, healthCheck: ${healthCheck} } }
`;
  const result = parseConfig(text, {
    file: '/sluice.yaml',
    env: {},
    readFile: readFrom(files),
  });
  const found = configOf(result).pools[0]?.healthCheck;
  if (found === undefined) throw new Error('There is no check');
  return { ...questionOf(backend, found), timeoutMs: found.timeoutMs };
}

const mutual = '{ tls: { ca: /ca.pem, cert: /proxy.pem, key: /proxy.key } }';

describe('a health check', () => {
  it.each(['tcp', 'tls', 'http', 'https', 'send-expect'])(
    'of type %s is made over TLS as sessions are',
    (type) => {
      const more = type === 'send-expect' ? ', expect: x' : '';
      expect(question(mutual, `{ type: ${type}${more} }`).tls).toEqual({
        name: 'app.internal',
        how: { servername: undefined, verify: true, ca: ca.cert, ...own },
      });
    },
  );

  it.each([
    ['tcp', 'off'],
    ['http', 'off'],
    ['tls', 'app.internal'],
    ['https', 'app.internal'],
  ])('of type %s beside plain sessions speaks TLS to: %s', (type, name) => {
    const { tls } = question('{}', `{ type: ${type} }`);
    expect(tls === 'off' ? tls : tls.name).toBe(name);
  });

  it('overrides each part of TLS by itself', () => {
    const inherited = { servername: undefined, verify: true, ca: ca.cert, ...own };
    const tls = (keys: string) => question(mutual, `{ type: tls, tls: ${keys} }`).tls;
    expect(tls('{ servername: other }')).toEqual({
      name: 'other',
      how: { ...inherited, servername: 'other' },
    });
    expect(tls('{ verify: false }')).toMatchObject({ how: { ...inherited, verify: false } });
    expect(tls('{ ca: /proxy.pem }')).toMatchObject({ how: { ...inherited, ca: own.cert } });
    expect(tls('{ cert: /check.pem, key: /check.key }')).toMatchObject({ how: { ...inherited, ...check } });
    expect(question(mutual, '{ type: http, tls: off }').tls).toBe('off');
    expect(question('{}', '{ type: http, tls: {} }').tls).toMatchObject({ name: 'app.internal' });
  });

  it('asks for the servername of sessions, or else for the backend by its name, or by its address', () => {
    const name = (connect: string, more: string, backend = byName) => {
      const { tls } = question(connect, `{ type: https${more} }`, backend);
      return tls === 'off' ? tls : tls.name;
    };
    expect(name('{ tls: { servername: db.internal } }', '')).toBe('db.internal');
    expect(name('{ tls: {} }', '')).toBe('app.internal');
    expect(name('{ tls: {} }', '', byAddress)).toBe('10.0.0.1');
    // With sessions that verify a name, the Host header has no say in it.
    expect(name('{ tls: {} }', ', host: "web.internal"', byAddress)).toBe('10.0.0.1');
    expect(name('{}', ', host: "web.internal:8443"', byAddress)).toBe('web.internal');
    expect(name('{}', ', host: "10.0.0.7"', byAddress)).toBe('10.0.0.1');
  });

  it('says in the Host header what was written', () => {
    const host = (type: string, more: string, backend: Backend) => {
      const { asked } = question('{}', `{ type: ${type}${more} }`, backend);
      return asked.type === 'http' ? asked.http.host : asked;
    };
    expect(host('http', '', byName)).toBe('app.internal:9000');
    expect(host('http', '', byAddress)).toBe('10.0.0.1:9000');
    expect(host('http', ', host: Web.Internal', byName)).toBe('Web.Internal');
    const at = (address: { host: string; port: number } | { path: string }, hostName?: string) => ({
      address,
      hostName,
    });
    expect(host('http', '', at({ host: '10.0.0.1', port: 80 }, 'app.internal'))).toBe('app.internal');
    expect(host('https', '', at({ host: '10.0.0.1', port: 443 }, 'app.internal'))).toBe('app.internal');
    expect(host('https', '', at({ host: '10.0.0.1', port: 80 }, 'app.internal'))).toBe('app.internal:80');
    expect(host('http', '', at({ host: '::1', port: 9000 }))).toBe('[::1]:9000');
    expect(host('http', '', at({ host: 'fe80::1%eth0', port: 80 }))).toBe('[fe80::1]');
    expect(host('http', '', at({ path: '/run/app.sock' }))).toBe('localhost');
  });

  it('begins with the PROXY protocol header of sessions, or with its own', () => {
    const sent = (connect: string, more = '') => question(connect, `{ type: tcp${more} }`).proxyProtocol;
    expect(sent('{ proxyProtocol: v1 }')).toBe('v1');
    expect(sent('{ proxyProtocol: { version: v2, include: [sni] } }')).toBe('v2');
    expect(sent('{ proxyProtocol: v2 }', ', proxyProtocol: off')).toBe('off');
    expect(sent('{}', ', proxyProtocol: v1')).toBe('v1');
  });

  it('has the time that connecting has, or its own', () => {
    expect(question('{ timeout: 7s }', '{ type: http }').timeoutMs).toBe(7_000);
    expect(question('{ timeout: 7s }', '{ type: http, timeout: 1s }').timeoutMs).toBe(1_000);
    expect(question('{}', '{ type: http }').timeoutMs).toBe(2_000);
  });

  describe('at a port of its own', () => {
    const connect = '{ proxyProtocol: v2, tls: { ca: /ca.pem } }';

    it('is sent neither TLS nor a header but what it asks for', () => {
      expect(question(connect, '{ type: http, port: 8081 }')).toMatchObject({
        address: { host: '10.0.0.1', port: 8081 },
        tls: 'off',
        proxyProtocol: 'off',
        asked: { http: { host: 'app.internal:8081' } },
      });
      expect(question(connect, '{ type: http, port: 8081, proxyProtocol: v1, tls: {} }')).toMatchObject({
        tls: { name: 'app.internal', how: { ca: ca.cert } },
        proxyProtocol: 'v1',
      });
      expect(question(connect, '{ type: https, port: 8081 }').tls).toMatchObject({ how: { ca: ca.cert } });
    });

    it('is asked as sessions are where that is the backend’s port after all', () => {
      expect(question(connect, '{ type: http, port: 9000 }')).toMatchObject({
        tls: { name: 'app.internal' },
        proxyProtocol: 'v2',
      });
    });

    it('is asked by its path where it is a unix socket, as sessions are', () => {
      const unix = { address: { path: '/run/app.sock' }, hostName: undefined };
      expect(question(connect, '{ type: tcp, port: 8081 }', unix)).toMatchObject({
        address: unix.address,
        tls: { name: 'localhost' },
        proxyProtocol: 'v2',
      });
    });
  });
});
