import { createRequire } from 'node:module';
import { afterEach, describe, expect, it } from 'vitest';
import type { BackendTls, ListenerTls } from '../../../../src/core/plan.ts';
import { loadLibrary } from '../../../../src/drivers/tls/openssl/library.ts';
import { listenerTls as defaults } from '../../../core/harness.ts';
import { authority, selfSigned } from '../../../support/certificate.ts';
import { eventually } from '../../../support/eventually.ts';
import { carry, End, engine } from './wire.ts';

const ca = authority('an authority');
const certificate = ca.issue({ names: ['service.example'] });
let nowMs = 0;
const one = engine(undefined, () => nowMs);
const { openSsl } = loadLibrary();

/** Of a record, the last two are its length. */
const headerBytes = 5;

const ends: End[] = [];
/** Plans that say the same bring the same object. */
const plans = new Map<string, BackendTls>();
const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
/** Asks for new keys in both directions (SSL_KEY_UPDATE_REQUESTED) with what is sealed next. */
const keyUpdate = koffi.load(null).func('int SSL_key_update(int64, int)');
/** Is not counted: it is good as long as the connection's is. */
const sessionOf = koffi.load(null).func('int64 SSL_get_session(int64)');
const fillTicket = koffi.load(null).func('int SSL_SESSION_set1_ticket_appdata(int64, void *, size_t)');
/** In seconds. */
const lifetimeHint = koffi.load(null).func('ulong SSL_SESSION_get_ticket_lifetime_hint(int64)');
const updateKeys = (connection: number): number => keyUpdate(connection, 1);

afterEach(() => {
  for (const end of ends.splice(0)) end.tls.free();
});

function server(change: Partial<ListenerTls> = {}, serverName?: string): End {
  const tls = { ...defaults, certificates: [certificate], ...change };
  return kept(new End(one, { kind: 'start-tls', link: 0, as: 'server', tls, serverName }));
}

function client(change: Partial<BackendTls> = {}, serverName = 'service.example', backend = 'backend'): End {
  const tls = {
    servername: undefined,
    ca: ca.cert,
    verify: true,
    cert: undefined,
    key: undefined,
    ...change,
  };
  const known = plans.get(JSON.stringify(tls)) ?? tls;
  plans.set(JSON.stringify(tls), known);
  const command = {
    kind: 'start-tls',
    link: 1,
    as: 'client',
    tls: known,
    address: { path: backend },
    serverName,
    first: undefined,
  } as const;
  return kept(new End(one, command));
}

function kept(end: End): End {
  ends.push(end);
  return end;
}

describe('TlsConnection', () => {
  for (const bytesEach of [1, 100, Number.POSITIVE_INFINITY]) {
    it(`speaks with its like, ${bytesEach} bytes at a time`, () => {
      const [a, b] = [client(), server()];
      carry(a, b, bytesEach);
      expect([a.isEstablished, b.isEstablished]).toEqual([true, true]);
      b.take(a.seal('hello'));
      a.take(b.seal('x'.repeat(100_000)));
      expect(b.plain).toBe('hello');
      expect(a.plain.length).toBe(100_000);
      expect(a.tls.session.version).toBe('TLSv1.3');
      expect(b.tls.session).toMatchObject({ version: 'TLSv1.3', serverName: 'service.example' });
    });
  }

  it('finishes in each direction by itself', () => {
    const [a, b] = [client(), server()];
    carry(a, b);
    b.take(a.finish());
    expect([b.isFinished, a.isFinished]).toEqual([true, false]);
    a.take(b.seal('goes on'));
    a.take(b.finish());
    expect([a.plain, a.isFinished]).toEqual(['goes on', true]);
  });

  it('tells a server of another name by whose its certificate is', () => {
    const [a, b] = [client({}, 'other.example'), server()];
    carry(a, b);
    expect(a.tls.failure).toBe("Host: other.example. is not in the cert's altnames: DNS:service.example");
    expect(b.tls.failure).toMatch(/alert bad certificate$/);
  });

  it('refuses a server of an authority that it does not believe, and says so', () => {
    const [a, b] = [client({ ca: selfSigned('x').cert }), server()];
    carry(a, b);
    expect(a.tls.failure).toMatch(
      /^unable to get local issuer certificate \(UNABLE_TO_GET_ISSUER_CERT_LOCALLY\)$/,
    );
    expect(b.tls.failure).toMatch(/alert unknown ca$/);
  });

  it('gives a client one ticket', () => {
    const [a, b] = [client(), server()];
    const finished = a.take(b.take(a.take()));
    const tickets = b.take(finished);
    expect(tickets.length).toBeGreaterThan(headerBytes);
    expect(tickets.readUInt16BE(headerBytes - 2)).toBe(tickets.length - headerBytes);
  });

  function isResumed(backend: string, b = server()): boolean {
    const a = client({}, 'service.example', backend);
    carry(a, b);
    a.take(b.seal('hello'));
    return openSsl.SSL_session_reused(a.tls.pointer) === 1;
  }

  it('resumes the last session with a backend, and none of another', () => {
    expect([isResumed('one'), isResumed('one'), isResumed('other'), isResumed('other')]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('has a backend verified again after five minutes, however often it has resumed', () => {
    const at = (seconds: number): boolean => {
      nowMs = seconds * 1_000;
      return isResumed('verified');
    };
    expect([at(0), at(299), at(301), at(302)]).toEqual([false, true, false, true]);
  });

  it('resumes no session of a backend whose certificate has expired since', async () => {
    const brief = ca.issue({ names: ['service.example'], expires: new Date(Date.now() + 2_000) });
    const outcome = (): string => {
      const [a, b] = [client({}, 'service.example', 'brief'), server({ certificates: [brief] })];
      carry(a, b);
      if (a.tls.failure !== undefined) return a.tls.failure;
      a.take(b.seal('hello'));
      return 'good';
    };
    expect(outcome()).toBe('good');
    await eventually(() => expect(outcome()).toMatch(/has expired/));
  });

  it('does not resume a session again after a handshake of it that has failed', () => {
    expect([isResumed('failing'), isResumed('failing')]).toEqual([false, true]);
    client({}, 'service.example', 'failing').take();
    ends.pop()?.tls.free();
    expect([isResumed('failing'), isResumed('failing')]).toEqual([false, true]);
  });

  it('keeps no session whose ticket is so long that a hello may have no room for it', () => {
    const given = (bytes: number): End => {
      const [a, b] = [client({}, 'service.example', 'long'), server()];
      const flight = b.take(a.take());
      fillTicket(sessionOf(b.tls.pointer), Buffer.alloc(bytes), bytes);
      a.take(b.take(a.take(flight)));
      a.take(b.seal('hello'));
      return a;
    };
    expect(given(20_000).plain).toBe('hello');
    expect(isResumed('long')).toBe(false);
    expect(given(10_000).plain).toBe('hello');
    expect(isResumed('long')).toBe(true);
  });

  it('does not lengthen the life of a session that a client certificate began', async () => {
    const clients = authority('clients of ours');
    const shown = clients.issue({ commonName: 'a client' });
    const lifeSeconds = (): number => {
      const [a, b] = [
        client(shown, 'service.example', 'renewing'),
        server({ clientAuth: 'required', clientCa: clients.cert }),
      ];
      carry(a, b);
      a.take(b.seal('hello'));
      return lifetimeHint(sessionOf(a.tls.pointer));
    };
    expect(lifeSeconds()).toBe(300);
    // It is resumed each time.
    await eventually(() => expect(lifeSeconds()).toBeLessThan(300));
  });

  it('resumes no session of a backend whose certificate it has not verified', () => {
    const [a, b] = [client({ verify: false }), server({ certificates: [selfSigned('service.example')] })];
    carry(a, b);
    a.take(b.seal('hello'));
    const [strict, again] = [
      client({ verify: true }),
      server({ certificates: [selfSigned('service.example')] }),
    ];
    carry(strict, again);
    expect(strict.isEstablished).toBe(false);
  });

  it('changes its keys when the peer wants that, and answers', () => {
    const [a, b] = [client(), server()];
    carry(a, b);
    const record = b.seal('x');
    a.take(record);
    expect(updateKeys(a.tls.pointer)).toBe(1);
    const answer = Buffer.concat([b.take(a.seal('under a new key')), b.seal('y')]);
    expect(b.plain).toBe('under a new key');
    expect(answer.length).toBeGreaterThan(record.length);
    a.take(answer);
    expect(a.plain).toBe('xy');
  });
});
