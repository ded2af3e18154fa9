/** What OpenSSL keeps for all connections of one kind: versions, ciphers, certificates, authorities. */
import type { KeyPair } from '../../../core/plan.ts';
import type { Pointer } from '../../uring/libc.ts';
import { cipherSuites, ciphers, groups, secureOptions, signatures } from '../strength.ts';
import * as ssl from './constants.ts';
import { takeReason } from './failures.ts';
import type { OpenSsl } from './library.ts';
import { eachCertificate, withKey } from './pem.ts';

/** Three segments of a network: the first bytes of an answer can be read before it has come whole. */
export const smallRecordBytes = 4 * 1024;

/** Its pointer is good for as long as the object is reachable; connections that were made of it keep what they need. */
export class Context {
  readonly pointer: Pointer;
  readonly openSsl: OpenSsl;

  constructor(openSsl: OpenSsl, minVersion: 'TLSv1.2' | 'TLSv1.3') {
    const pointer = openSsl.SSL_CTX_new(openSsl.TLS_method());
    this.openSsl = openSsl;
    this.pointer = pointer;
    this.#must(pointer);
    unreachable.register(this, () => openSsl.SSL_CTX_free(pointer));
    const least = minVersion === 'TLSv1.3' ? ssl.TLS1_3_VERSION : ssl.TLS1_2_VERSION;
    openSsl.SSL_CTX_set_options(pointer, secureOptions);
    // An idle connection then has no buffers.
    openSsl.SSL_CTX_ctrl(pointer, ssl.SSL_CTRL_MODE, ssl.SSL_MODE_RELEASE_BUFFERS, 0);
    openSsl.SSL_CTX_ctrl(pointer, ssl.SSL_CTRL_SET_MAX_SEND_FRAGMENT, smallRecordBytes, 0);
    // Sessions are their clients' to keep, in tickets.
    openSsl.SSL_CTX_ctrl(pointer, ssl.SSL_CTRL_SET_SESS_CACHE_MODE, 0, 0);
    this.#must(openSsl.SSL_CTX_ctrl(pointer, ssl.SSL_CTRL_SET_MIN_PROTO_VERSION, least, 0));
    this.#must(openSsl.SSL_CTX_set_ciphersuites(pointer, cipherSuites));
    this.#must(openSsl.SSL_CTX_set_cipher_list(pointer, ciphers));
    this.#must(openSsl.SSL_CTX_ctrlText(pointer, ssl.SSL_CTRL_SET_GROUPS_LIST, 0, groups));
    this.#must(openSsl.SSL_CTX_ctrlText(pointer, ssl.SSL_CTRL_SET_SIGALGS_LIST, 0, signatures));
  }

  /** Several may be used, if their keys are of several kinds. Throws where they do not belong together. */
  use({ cert, key }: KeyPair): void {
    const { openSsl, pointer } = this;
    let isFirst = true;
    eachCertificate(openSsl, cert, (certificate) => {
      if (isFirst) this.#must(openSsl.SSL_CTX_use_certificate(pointer, certificate));
      // The number has OpenSSL count one user more of it.
      else this.#must(openSsl.SSL_CTX_ctrl(pointer, ssl.SSL_CTRL_CHAIN_CERT, 1, certificate));
      isFirst = false;
    });
    withKey(openSsl, key, (one) => this.#must(openSsl.SSL_CTX_use_PrivateKey(pointer, one)));
    this.#must(openSsl.SSL_CTX_check_private_key(pointer));
  }

  /** Believes these authorities; a server also names them to its clients. */
  trust(pem: string, tellsClients: boolean): void {
    const { openSsl, pointer } = this;
    const store = openSsl.SSL_CTX_get_cert_store(pointer);
    eachCertificate(openSsl, pem, (certificate) => {
      this.#must(openSsl.X509_STORE_add_cert(store, certificate));
      if (tellsClients) this.#must(openSsl.SSL_CTX_add_client_CA(pointer, certificate));
    });
  }

  #must(result: number): void {
    if (result <= 0) throw new Error(takeReason(this.openSsl));
  }
}

/** Plans come and go, and with them what was made for their settings. */
const unreachable = new FinalizationRegistry<() => void>((free) => free());
