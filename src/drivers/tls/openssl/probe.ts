/**
 * Whether this Node's OpenSSL can be used, found out by doing: two handshakes of the engine with itself, the second of
 * which resumes the first. So the calls that matter are made, and OpenSSL calls back.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { Address } from '../../../core/contract.ts';
import type { BackendTls, KeyPair, ListenerTls } from '../../../core/plan.ts';
import { errorMessage } from '../../shared.ts';
import { TicketKeys } from '../../ticket-keys.ts';
import type { Pointer } from '../../uring/libc.ts';
import type { TlsConnection } from './connection.ts';
import { OpenSslEngine } from './engine.ts';
import { type Library, loadLibrary, type OpenSsl } from './library.ts';
import { withKey } from './pem.ts';

/** Why it can't be used, for people; undefined where it can. Takes some milliseconds, once. */
export function whyNotOpenSsl(): string | undefined {
  answer ??= { obstacle: obstacleOf(loadLibrary) };
  return answer.obstacle;
}

let answer: { readonly obstacle: string | undefined } | undefined;

export function obstacleOf(load: () => Library): string | undefined {
  let library: Library;
  try {
    library = load();
  } catch (error) {
    return `this Node does not give its OpenSSL to others: ${errorMessage(error)}`;
  }
  const { openSsl } = library;
  const version = openSsl.OPENSSL_version_major();
  if (version !== knownVersion) return `OpenSSL ${version} is not known to it`;
  let engine: OpenSslEngine;
  try {
    engine = new OpenSslEngine(new TicketKeys(), () => performance.now(), library);
  } catch (error) {
    return `its OpenSSL can't call back: ${errorMessage(error)}`;
  }
  const memory = openSsl.malloc(roomBytes);
  try {
    const handshakes = new ProbedHandshakes(library, engine, memory);
    if (handshakes.isResumed() || !handshakes.isResumed()) return 'its OpenSSL resumes sessions otherwise';
    return undefined;
  } catch (error) {
    return `its OpenSSL fails a handshake with itself: ${errorMessage(error)}`;
  } finally {
    openSsl.free(memory);
    engine.close();
  }
}

/** A client and a server that talk to each other. */
class ProbedHandshakes {
  readonly #openSsl: OpenSsl;
  readonly #engine: OpenSslEngine;
  readonly #memory: Pointer;
  readonly #listener: ListenerTls;

  constructor({ openSsl }: Library, engine: OpenSslEngine, memory: Pointer) {
    this.#openSsl = openSsl;
    this.#engine = engine;
    this.#memory = memory;
    this.#listener = {
      certificates: [selfSigned(openSsl)],
      minVersion: 'TLSv1.3',
      alpn: ['probe'],
      clientAuth: 'off',
      clientCa: undefined,
      handshakeTimeoutMs: 0,
    };
  }

  /** Throws where a handshake fails, or a byte is lost. */
  isResumed(): boolean {
    const server = this.#made({ as: 'server', tls: this.#listener, serverName: undefined });
    const client = this.#made({ as: 'client', tls: backendTls, address, serverName, first: undefined });
    try {
      client.handshake();
      this.#carry(client, server);
      server.handshake();
      this.#carry(server, client);
      if (!client.handshake()) throw new Error(client.failure ?? 'it does not end');
      this.#carry(client, server);
      if (!server.handshake()) throw new Error(server.failure ?? 'it does not end');
      server.seal(this.#memory, 1);
      this.#carry(server, client);
      if (client.open(this.#memory, roomBytes) !== 1) throw new Error('a byte is lost');
      return this.#openSsl.SSL_session_reused(client.pointer) === 1;
    } finally {
      client.free();
      server.free();
    }
  }

  #made(role: ProbedRole): TlsConnection {
    const made = this.#engine.connection({ kind: 'start-tls', link: 0, ...role });
    if (made === undefined) throw new Error('it takes no certificate');
    return made;
  }

  /** Both work between the same two BIOs. */
  #carry(from: TlsConnection, to: TlsConnection): void {
    const bytes = from.take(this.#memory, roomBytes);
    to.feed(this.#memory, bytes);
  }
}

type ProbedRole =
  | { readonly as: 'server'; readonly tls: ListenerTls; readonly serverName: undefined }
  | {
      readonly as: 'client';
      readonly tls: BackendTls;
      readonly address: Address;
      readonly serverName: string;
      readonly first: undefined;
    };

const serverName = 'probe.invalid';
const address: Address = { path: '/probe.invalid' };
const backendTls: BackendTls = {
  servername: undefined,
  ca: undefined,
  verify: false,
  cert: undefined,
  key: undefined,
};
const knownVersion = 3;
const roomBytes = 64 * 1024;

/** For nobody and an hour. */
function selfSigned(openSsl: OpenSsl): KeyPair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificate = openSsl.X509_new();
  const bio = openSsl.BIO_new(openSsl.BIO_s_mem());
  try {
    openSsl.X509_gmtime_adj(openSsl.X509_getm_notBefore(certificate), 0);
    openSsl.X509_gmtime_adj(openSsl.X509_getm_notAfter(certificate), 3_600);
    withKey(openSsl, key, (one) => {
      openSsl.X509_set_pubkey(certificate, one);
      openSsl.X509_sign(certificate, one, openSsl.EVP_MD_fetch(0, 'SHA256', 0));
    });
    openSsl.PEM_write_bio_X509(bio, certificate);
    const text = Buffer.alloc(openSsl.BIO_ctrl_pending(bio));
    openSsl.BIO_readBytes(bio, text, text.length);
    return { cert: text.toString('latin1'), key };
  } finally {
    openSsl.BIO_free(bio);
    openSsl.X509_free(certificate);
  }
}
