/**
 * OpenSSL as Node carries it and exports it to whatever is loaded into its process, by way of koffi. Names and meaning
 * of the calls are OpenSSL's own: https://docs.openssl.org/3.0/man3/. Pointers are numbers, 0 is NULL; typed arrays
 * are lent for the time of a call.
 */
import { createRequire } from 'node:module';
import type { Pointer } from '../../uring/libc.ts';

export interface OpenSsl {
  OPENSSL_version_major(): number;
  malloc(bytes: number): Pointer;
  free(memory: Pointer): void;
  memcpyIn(to: Pointer, from: Uint8Array, bytes: number): Pointer;
  memcpyOut(to: Uint8Array, from: Pointer, bytes: number): Pointer;

  TLS_method(): Pointer;
  SSL_CTX_new(method: Pointer): Pointer;
  SSL_CTX_free(context: Pointer): void;
  SSL_CTX_ctrl(context: Pointer, command: number, number: number, pointer: Pointer): number;
  /** `SSL_CTX_ctrl` for what takes a list in words. */
  SSL_CTX_ctrlText(context: Pointer, command: number, number: number, text: string): number;
  SSL_CTX_callback_ctrl(context: Pointer, command: number, callback: Pointer): number;
  SSL_CTX_set_options(context: Pointer, options: number): number;
  SSL_CTX_set_cipher_list(context: Pointer, ciphers: string): number;
  SSL_CTX_set_ciphersuites(context: Pointer, ciphers: string): number;
  SSL_CTX_set_verify(context: Pointer, mode: number, callback: Pointer): void;
  SSL_CTX_set_alpn_select_cb(context: Pointer, callback: Pointer, argument: number): void;
  SSL_CTX_use_certificate(context: Pointer, certificate: Pointer): number;
  SSL_CTX_use_PrivateKey(context: Pointer, key: Pointer): number;
  SSL_CTX_check_private_key(context: Pointer): number;
  SSL_CTX_add_client_CA(context: Pointer, certificate: Pointer): number;
  SSL_CTX_get_cert_store(context: Pointer): Pointer;
  SSL_CTX_set_session_id_context(context: Pointer, id: Uint8Array, bytes: number): number;
  SSL_CTX_set_timeout(context: Pointer, seconds: number): number;
  SSL_CTX_set_num_tickets(context: Pointer, tickets: number): number;
  SSL_CTX_set_session_ticket_cb(context: Pointer, made: Pointer, opened: Pointer, argument: Pointer): number;
  X509_STORE_add_cert(store: Pointer, certificate: Pointer): number;

  SSL_new(context: Pointer): Pointer;
  SSL_free(ssl: Pointer): void;
  SSL_set_bio(ssl: Pointer, incoming: Pointer, outgoing: Pointer): void;
  SSL_ctrl(ssl: Pointer, command: number, number: number, text: string | null): number;
  SSL_set1_host(ssl: Pointer, name: string): number;
  SSL_set_hostflags(ssl: Pointer, flags: number): void;
  SSL_get0_param(ssl: Pointer): Pointer;
  X509_VERIFY_PARAM_set1_ip_asc(parameters: Pointer, address: string): number;
  SSL_set_session(ssl: Pointer, session: Pointer): number;
  SSL_get1_session(ssl: Pointer): Pointer;
  SSL_SESSION_is_resumable(session: Pointer): number;
  /** In seconds since 1970. */
  SSL_SESSION_get_time(session: Pointer): number;
  SSL_SESSION_set_time(session: Pointer, seconds: number): number;
  SSL_SESSION_get_timeout(session: Pointer): number;
  SSL_SESSION_set_timeout(session: Pointer, seconds: number): number;
  SSL_SESSION_get0_peer(session: Pointer): Pointer;
  SSL_SESSION_get0_ticket(session: Pointer, ticket: BigUint64Array, bytes: BigUint64Array): void;
  SSL_SESSION_free(session: Pointer): void;
  SSL_session_reused(ssl: Pointer): number;

  SSL_accept(ssl: Pointer): number;
  SSL_connect(ssl: Pointer): number;
  SSL_read(ssl: Pointer, into: Pointer, bytes: number): number;
  SSL_write(ssl: Pointer, from: Pointer, bytes: number): number;
  SSL_writeBytes(ssl: Pointer, from: Uint8Array, bytes: number): number;
  SSL_has_pending(ssl: Pointer): number;
  SSL_shutdown(ssl: Pointer): number;
  SSL_set_shutdown(ssl: Pointer, mode: number): void;
  SSL_get_error(ssl: Pointer, result: number): number;
  SSL_version(ssl: Pointer): number;
  SSL_get_version(ssl: Pointer): string;
  SSL_get_servername(ssl: Pointer, type: number): string | null;
  SSL_get0_alpn_selected(ssl: Pointer, name: BigUint64Array, length: Uint32Array): void;
  SSL_get_verify_result(ssl: Pointer): number;
  SSL_get0_peer_certificate(ssl: Pointer): Pointer;

  BIO_new(method: Pointer): Pointer;
  BIO_new_mem_buf(memory: Pointer, bytes: number): Pointer;
  BIO_s_mem(): Pointer;
  BIO_up_ref(bio: Pointer): number;
  BIO_free(bio: Pointer): number;
  BIO_ctrl(bio: Pointer, command: number, number: number, pointer: Pointer): number;
  /** `BIO_ctrl` for what gives a pointer. */
  BIO_ctrlPointer(bio: Pointer, command: number, number: number, into: BigUint64Array): number;
  BIO_ctrl_pending(bio: Pointer): number;
  BIO_puts(bio: Pointer, text: string): number;
  BIO_read(bio: Pointer, into: Pointer, bytes: number): number;
  BIO_readBytes(bio: Pointer, into: Uint8Array, bytes: number): number;

  BUF_MEM_new(): Pointer;
  BUF_MEM_free(memory: Pointer): void;

  PEM_read_bio_X509(bio: Pointer, into: Pointer, callback: Pointer, passphrase: string): Pointer;
  PEM_read_bio_PrivateKey(bio: Pointer, into: Pointer, callback: Pointer, passphrase: string): Pointer;
  PEM_write_bio_X509(bio: Pointer, certificate: Pointer): number;
  X509_new(): Pointer;
  X509_free(certificate: Pointer): void;
  X509_get0_notAfter(certificate: Pointer): Pointer;
  /** Above 0 for a time that is to come. */
  X509_cmp_current_time(time: Pointer): number;
  X509_getm_notBefore(certificate: Pointer): Pointer;
  X509_getm_notAfter(certificate: Pointer): Pointer;
  X509_gmtime_adj(time: Pointer, seconds: number): Pointer;
  X509_set_pubkey(certificate: Pointer, key: Pointer): number;
  X509_sign(certificate: Pointer, key: Pointer, digest: Pointer): number;
  EVP_PKEY_free(key: Pointer): void;
  i2d_X509_bio(bio: Pointer, certificate: Pointer): number;
  X509_verify_cert_error_string(error: number): string;
  X509_STORE_CTX_get0_cert(verification: Pointer): Pointer;
  X509_STORE_CTX_get_error(verification: Pointer): number;
  X509_STORE_CTX_set_error(verification: Pointer, error: number): void;

  ERR_peek_error(): number;
  ERR_get_error(): number;
  ERR_clear_error(): void;
  ERR_reason_error_string(error: number): string | null;

  EVP_CIPHER_fetch(library: Pointer, name: string, properties: Pointer): Pointer;
  EVP_EncryptInit_ex(
    cipher: Pointer,
    type: Pointer,
    engine: Pointer,
    key: Uint8Array,
    iv: Uint8Array,
  ): number;
  EVP_DecryptInit_ex(
    cipher: Pointer,
    type: Pointer,
    engine: Pointer,
    key: Uint8Array,
    iv: Uint8Array,
  ): number;
  EVP_MD_fetch(library: Pointer, name: string, properties: Pointer): Pointer;
  HMAC_Init_ex(hmac: Pointer, key: Uint8Array, bytes: number, digest: Pointer, engine: Pointer): number;
}

/** As C declares them, but with pointers that are numbers. */
const declarations: Readonly<Record<keyof OpenSsl, string>> = {
  OPENSSL_version_major: 'uint OPENSSL_version_major()',
  malloc: 'int64 malloc(int64)',
  free: 'void free(int64)',
  memcpyIn: 'int64 memcpy(int64, void *, int64)',
  memcpyOut: 'int64 memcpy(void *, int64, int64)',

  TLS_method: 'int64 TLS_method()',
  SSL_CTX_new: 'int64 SSL_CTX_new(int64)',
  SSL_CTX_free: 'void SSL_CTX_free(int64)',
  SSL_CTX_ctrl: 'long SSL_CTX_ctrl(int64, int, long, int64)',
  SSL_CTX_ctrlText: 'long SSL_CTX_ctrl(int64, int, long, str)',
  SSL_CTX_callback_ctrl: 'long SSL_CTX_callback_ctrl(int64, int, int64)',
  SSL_CTX_set_options: 'uint64 SSL_CTX_set_options(int64, uint64)',
  SSL_CTX_set_cipher_list: 'int SSL_CTX_set_cipher_list(int64, str)',
  SSL_CTX_set_ciphersuites: 'int SSL_CTX_set_ciphersuites(int64, str)',
  SSL_CTX_set_verify: 'void SSL_CTX_set_verify(int64, int, int64)',
  SSL_CTX_set_alpn_select_cb: 'void SSL_CTX_set_alpn_select_cb(int64, int64, int64)',
  SSL_CTX_use_certificate: 'int SSL_CTX_use_certificate(int64, int64)',
  SSL_CTX_use_PrivateKey: 'int SSL_CTX_use_PrivateKey(int64, int64)',
  SSL_CTX_check_private_key: 'int SSL_CTX_check_private_key(int64)',
  SSL_CTX_add_client_CA: 'int SSL_CTX_add_client_CA(int64, int64)',
  SSL_CTX_get_cert_store: 'int64 SSL_CTX_get_cert_store(int64)',
  SSL_CTX_set_session_id_context: 'int SSL_CTX_set_session_id_context(int64, void *, uint)',
  SSL_CTX_set_timeout: 'long SSL_CTX_set_timeout(int64, long)',
  SSL_CTX_set_num_tickets: 'int SSL_CTX_set_num_tickets(int64, int64)',
  SSL_CTX_set_session_ticket_cb: 'int SSL_CTX_set_session_ticket_cb(int64, int64, int64, int64)',
  X509_STORE_add_cert: 'int X509_STORE_add_cert(int64, int64)',

  SSL_new: 'int64 SSL_new(int64)',
  SSL_free: 'void SSL_free(int64)',
  SSL_set_bio: 'void SSL_set_bio(int64, int64, int64)',
  SSL_ctrl: 'long SSL_ctrl(int64, int, long, str)',
  SSL_set1_host: 'int SSL_set1_host(int64, str)',
  SSL_set_hostflags: 'void SSL_set_hostflags(int64, uint)',
  SSL_get0_param: 'int64 SSL_get0_param(int64)',
  X509_VERIFY_PARAM_set1_ip_asc: 'int X509_VERIFY_PARAM_set1_ip_asc(int64, str)',
  SSL_set_session: 'int SSL_set_session(int64, int64)',
  SSL_get1_session: 'int64 SSL_get1_session(int64)',
  SSL_SESSION_is_resumable: 'int SSL_SESSION_is_resumable(int64)',
  SSL_SESSION_get_time: 'long SSL_SESSION_get_time(int64)',
  SSL_SESSION_set_time: 'long SSL_SESSION_set_time(int64, long)',
  SSL_SESSION_get_timeout: 'long SSL_SESSION_get_timeout(int64)',
  SSL_SESSION_set_timeout: 'long SSL_SESSION_set_timeout(int64, long)',
  SSL_SESSION_get0_peer: 'int64 SSL_SESSION_get0_peer(int64)',
  SSL_SESSION_get0_ticket: 'void SSL_SESSION_get0_ticket(int64, void *, void *)',
  SSL_SESSION_free: 'void SSL_SESSION_free(int64)',
  SSL_session_reused: 'int SSL_session_reused(int64)',

  SSL_accept: 'int SSL_accept(int64)',
  SSL_connect: 'int SSL_connect(int64)',
  SSL_read: 'int SSL_read(int64, int64, int)',
  SSL_write: 'int SSL_write(int64, int64, int)',
  SSL_writeBytes: 'int SSL_write(int64, void *, int)',
  SSL_has_pending: 'int SSL_has_pending(int64)',
  SSL_shutdown: 'int SSL_shutdown(int64)',
  SSL_set_shutdown: 'void SSL_set_shutdown(int64, int)',
  SSL_get_error: 'int SSL_get_error(int64, int)',
  SSL_version: 'int SSL_version(int64)',
  SSL_get_version: 'str SSL_get_version(int64)',
  SSL_get_servername: 'str SSL_get_servername(int64, int)',
  SSL_get0_alpn_selected: 'void SSL_get0_alpn_selected(int64, void *, void *)',
  SSL_get_verify_result: 'long SSL_get_verify_result(int64)',
  SSL_get0_peer_certificate: 'int64 SSL_get0_peer_certificate(int64)',

  BIO_new: 'int64 BIO_new(int64)',
  BIO_new_mem_buf: 'int64 BIO_new_mem_buf(int64, int)',
  BIO_s_mem: 'int64 BIO_s_mem()',
  BIO_up_ref: 'int BIO_up_ref(int64)',
  BIO_free: 'int BIO_free(int64)',
  BIO_ctrl: 'long BIO_ctrl(int64, int, long, int64)',
  BIO_ctrlPointer: 'long BIO_ctrl(int64, int, long, void *)',
  BIO_ctrl_pending: 'uint64 BIO_ctrl_pending(int64)',
  BIO_puts: 'int BIO_puts(int64, str)',
  BIO_read: 'int BIO_read(int64, int64, int)',
  BIO_readBytes: 'int BIO_read(int64, void *, int)',

  BUF_MEM_new: 'int64 BUF_MEM_new()',
  BUF_MEM_free: 'void BUF_MEM_free(int64)',

  PEM_read_bio_X509: 'int64 PEM_read_bio_X509(int64, int64, int64, str)',
  PEM_read_bio_PrivateKey: 'int64 PEM_read_bio_PrivateKey(int64, int64, int64, str)',
  PEM_write_bio_X509: 'int PEM_write_bio_X509(int64, int64)',
  X509_new: 'int64 X509_new()',
  X509_get0_notAfter: 'int64 X509_get0_notAfter(int64)',
  X509_cmp_current_time: 'int X509_cmp_current_time(int64)',
  X509_getm_notBefore: 'int64 X509_getm_notBefore(int64)',
  X509_getm_notAfter: 'int64 X509_getm_notAfter(int64)',
  X509_gmtime_adj: 'int64 X509_gmtime_adj(int64, long)',
  X509_set_pubkey: 'int X509_set_pubkey(int64, int64)',
  X509_sign: 'int X509_sign(int64, int64, int64)',
  X509_free: 'void X509_free(int64)',
  EVP_PKEY_free: 'void EVP_PKEY_free(int64)',
  i2d_X509_bio: 'int i2d_X509_bio(int64, int64)',
  X509_verify_cert_error_string: 'str X509_verify_cert_error_string(long)',
  X509_STORE_CTX_get0_cert: 'int64 X509_STORE_CTX_get0_cert(int64)',
  X509_STORE_CTX_get_error: 'int X509_STORE_CTX_get_error(int64)',
  X509_STORE_CTX_set_error: 'void X509_STORE_CTX_set_error(int64, int)',

  ERR_peek_error: 'ulong ERR_peek_error()',
  ERR_get_error: 'ulong ERR_get_error()',
  ERR_clear_error: 'void ERR_clear_error()',
  ERR_reason_error_string: 'str ERR_reason_error_string(ulong)',

  EVP_CIPHER_fetch: 'int64 EVP_CIPHER_fetch(int64, str, int64)',
  EVP_EncryptInit_ex: 'int EVP_EncryptInit_ex(int64, int64, int64, void *, void *)',
  EVP_DecryptInit_ex: 'int EVP_DecryptInit_ex(int64, int64, int64, void *, void *)',
  EVP_MD_fetch: 'int64 EVP_MD_fetch(int64, str, int64)',
  HMAC_Init_ex: 'int HMAC_Init_ex(int64, void *, int, int64, int64)',
};

/** What OpenSSL calls back, within a call of ours and so on the same thread. */
export interface Callbacks {
  /** Has the last word on a certificate of the peer's: 0 refuses it. */
  verify(isGood: number, verification: Pointer): number;
  /** Says which of the protocols that a client offers is chosen: writes where its name lies, and its length. */
  selectAlpn(
    ssl: Pointer,
    name: Pointer,
    nameBytes: Pointer,
    offered: Pointer,
    offeredBytes: number,
    argument: number,
  ): number;
  /** Gives the keys for a ticket: a new one, or one that a client has brought. */
  ticketKey(
    ssl: Pointer,
    name: Pointer,
    initialVector: Pointer,
    cipher: Pointer,
    hmac: Pointer,
    isNew: number,
  ): number;
  /** Judges a ticket that a client has brought, by what has become of opening it. */
  checkTicket(
    ssl: Pointer,
    session: Pointer,
    name: Pointer,
    nameBytes: number,
    status: number,
    argument: Pointer,
  ): number;
}

const callbackTypes: Readonly<Record<keyof Callbacks, string>> = {
  verify: 'int SluiceVerify(int, int64)',
  selectAlpn: 'int SluiceSelectAlpn(int64, int64, int64, int64, uint, int64)',
  ticketKey: 'int SluiceTicketKey(int64, int64, int64, int64, int64, int)',
  checkTicket: 'int SluiceCheckTicket(int64, int64, int64, int64, int, int64)',
};

export interface Library {
  readonly openSsl: OpenSsl;
  /** Memory of OpenSSL's as this thread sees it; not to be touched once it is freed. */
  view(address: Pointer, bytes: number): ArrayBuffer;
  /** Gives the pointer of a callback, until `forget` is called with it. */
  callback<Name extends keyof Callbacks>(name: Name, call: Callbacks[Name]): Pointer;
  forget(callback: Pointer): void;
}

let library: Library | undefined;

/** Throws where koffi is not installed, or this Node does not export what is needed. */
export function loadLibrary(): Library {
  library ??= load();
  return library;
}

function load(): Library {
  // The package is optional, so that it can't be imported like others; this is the type that it comes with.
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const exported = koffi.load(null);
  const calls = Object.entries(declarations).map(([name, declaration]) => [name, exported.func(declaration)]);
  const types = Object.entries(callbackTypes).map(([name, type]) => [name, koffi.pointer(koffi.proto(type))]);
  const pointers = Object.fromEntries(types);
  const callbacks = new Map<Pointer, ReturnType<typeof koffi.register>>();
  // Koffi takes back none that a thread leaves behind, and a process has 8,192.
  process.once('exit', () => {
    for (const registered of callbacks.values()) koffi.unregister(registered);
  });
  return {
    // Each call has the name and the form that the table gives it.
    openSsl: Object.fromEntries(calls) as OpenSsl,
    view: (address, bytes) => koffi.view(BigInt(address), bytes),
    callback: (name, call) => {
      const registered = koffi.register(call, pointers[name]);
      const pointer = Number(koffi.address(registered));
      callbacks.set(pointer, registered);
      return pointer;
    },
    forget: (pointer) => {
      const registered = callbacks.get(pointer);
      callbacks.delete(pointer);
      if (registered !== undefined) koffi.unregister(registered);
    },
  };
}
