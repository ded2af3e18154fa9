import { describe, expect, it } from 'vitest';
import { TicketKeys } from '../../../../src/drivers/ticket-keys.ts';
import { OpenSslEngine } from '../../../../src/drivers/tls/openssl/engine.ts';
import { HeldObjects, heldObjectsBytes } from '../../../../src/drivers/tls/openssl/held-objects.ts';
import { type Library, loadLibrary, type OpenSsl } from '../../../../src/drivers/tls/openssl/library.ts';
import { listenerTls } from '../../../core/harness.ts';
import { authority } from '../../../support/certificate.ts';
import { carry, End } from './wire.ts';

const ca = authority('an authority');
const certificate = ca.issue({ names: ['service.example'] });

/** The library, counting what was made and is not freed. */
class Counting {
  readonly library: Library;
  readonly left: Record<string, number> = {};

  constructor(real: Library) {
    const calls = Object.entries(real.openSsl).map(([name, call]) => [name, this.#counting(name, call)]);
    this.library = { ...real, openSsl: Object.fromEntries(calls) as OpenSsl };
  }

  #counting(name: string, call: (...given: never[]) => unknown) {
    const made = makers[name];
    const freed = Object.values(makers).includes(name) ? name : undefined;
    return (...given: never[]): unknown => {
      const result = call(...given);
      if (made !== undefined && result !== 0) this.left[made] = (this.left[made] ?? 0) + 1;
      if (freed !== undefined) this.left[freed] = (this.left[freed] ?? 0) - 1;
      return result;
    };
  }
}

/** What frees what each of these has made. */
const makers: Readonly<Record<string, string>> = {
  SSL_new: 'SSL_free',
  SSL_CTX_new: 'SSL_CTX_free',
  SSL_get1_session: 'SSL_SESSION_free',
  BIO_new: 'BIO_free',
  BIO_new_mem_buf: 'BIO_free',
  BUF_MEM_new: 'BUF_MEM_free',
  PEM_read_bio_X509: 'X509_free',
  PEM_read_bio_PrivateKey: 'EVP_PKEY_free',
  malloc: 'free',
};

function notes(): HeldObjects {
  return new HeldObjects(new SharedArrayBuffer(heldObjectsBytes), 0);
}

/** What a thread leaves that has ended without another line: connections, their contexts and a session. */
function leave(held: HeldObjects, { library }: Counting): void {
  const engine = new OpenSslEngine(new TicketKeys(), () => 0, held.noting(library));
  const listener = {
    ...listenerTls,
    certificates: [certificate],
    clientCa: ca.cert,
    clientAuth: 'optional',
  } as const;
  const backend = {
    servername: undefined,
    ca: ca.cert,
    verify: true,
    ...ca.issue({ commonName: 'a client' }),
  };
  for (let connections = 0; connections < 3; connections++) {
    const server = new End(engine, {
      kind: 'start-tls',
      link: 0,
      as: 'server',
      tls: listener,
      serverName: undefined,
    });
    const client = new End(engine, {
      kind: 'start-tls',
      link: 1,
      as: 'client',
      tls: backend,
      address: { host: '127.0.0.1', port: 443 },
      serverName: 'service.example',
      first: undefined,
    });
    carry(client, server);
    client.take(server.seal('hello'));
    expect(client.plain).toBe('hello');
  }
}

describe('HeldObjects', () => {
  it('frees all that OpenSSL kept for a thread that has ended, and nothing twice', () => {
    const held = notes();
    const counting = new Counting(loadLibrary());
    leave(held, counting);
    expect(counting.left).toMatchObject({ SSL_free: 6, SSL_CTX_free: 2, SSL_SESSION_free: 1, BIO_free: 2 });
    held.freeAll(counting.library.openSsl);
    for (const [free, left] of Object.entries(counting.left)) expect([free, left]).toEqual([free, 0]);
  });

  it('has nothing to free where all was freed', () => {
    const held = notes();
    const counting = new Counting(loadLibrary());
    const { openSsl } = held.noting(counting.library);
    openSsl.BIO_free(openSsl.BIO_new(openSsl.BIO_s_mem()));
    openSsl.SSL_CTX_free(openSsl.SSL_CTX_new(openSsl.TLS_method()));
    held.freeAll(counting.library.openSsl);
    expect(counting.left).toEqual({ BIO_free: 0, SSL_CTX_free: 0 });
  });

  it('frees what was given several times as often as it is held still', () => {
    const held = notes();
    const freed: number[] = [];
    const openSsl = {
      SSL_get1_session: () => 4_096,
      SSL_SESSION_free: (session: number) => freed.push(session),
    };
    // Only these two are called.
    const noting = held.noting({ openSsl } as unknown as Library).openSsl;
    for (let times = 0; times < 3; times++) noting.SSL_get1_session(1);
    noting.SSL_SESSION_free(4_096);
    held.freeAll(openSsl as unknown as OpenSsl);
    expect(freed).toEqual([4_096, 4_096, 4_096]);
  });
});
