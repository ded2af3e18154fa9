/**
 * The alert that tells a client what is wrong with its certificate. Node has OpenSSL accept every certificate and
 * judges only when the handshake is done, so that clients would see nothing but the end. So the alert is written by
 * hand, ahead of what OpenSSL has ready: in TLS 1.2 before the server's ChangeCipherSpec, when records are plain
 * still; in TLS 1.3 as the first record under the server's traffic secret (RFC 8446, 5.2 and 7.3). Node's `keylog`
 * tells when it is time, and the secret.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** `objection` is what is wrong with the client's certificate as soon as that has come. */
export function alertOfBadCertificate(
  client: TLSSocket,
  transport: Socket,
  objection: () => (Error & { readonly code?: unknown }) | undefined,
): void {
  let serverSecret: Buffer | undefined;
  const keyLogged = (line: Buffer): void => {
    const [label, , secret = ''] = line.toString('latin1').trim().split(' ');
    if (label === 'SERVER_TRAFFIC_SECRET_0') serverSecret = Buffer.from(secret, 'hex');
    // The alert of TLS 1.2, told when the server's last flight is made and before any of it is sent.
    else if (label === 'CLIENT_RANDOM') alert((body) => record(alertType, body));
  };
  client.on('keylog', keyLogged);
  client.prependOnceListener('secure', () => {
    isSecure = true;
    client.off('keylog', keyLogged);
    const secret = serverSecret;
    if (secret !== undefined) alert((body) => sealedRecord(client.getCipher().standardName, secret, body));
  });

  let isSecure = false;
  const alert = (recordOf: (body: Buffer) => Buffer): void => {
    const error = objection();
    if (error === undefined) return;
    transport.write(recordOf(Buffer.from([fatal, descriptionOf(error.code)])));
    // A client that resumes a session of TLS 1.2 has still to answer, and won't. OpenSSL must not be ended inside.
    setImmediate(() => {
      if (!isSecure && !client.destroyed)
        client.emit('_tlsError', Object.assign(error, { reason: objectionText(error) }));
    });
  };
}

/** What is wrong with a client's certificate, as the log has it: without the advice that Node adds for clients. */
export function objectionText({ message }: Error): string {
  return `client certificate: ${message.replace(/;.*/, '')}`;
}

/** As OpenSSL would tell it; but of a signature that is not the authority's: the authority is another. */
function descriptionOf(code: unknown): number {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 45; // certificate_expired
    case 'CERT_REVOKED':
      return 44; // certificate_revoked
    case 'INVALID_PURPOSE':
      return 43; // unsupported_certificate
    case 'CERT_NOT_YET_VALID':
    case 'CERT_REJECTED':
      return 42; // bad_certificate
    default:
      return 48; // unknown_ca
  }
}

/** The first record that is sealed with a traffic secret. */
function sealedRecord(cipherSuite: string, secret: Buffer, body: Buffer): Buffer {
  const hash = cipherSuite.endsWith('SHA384') ? 'sha384' : 'sha256';
  const key = (bytes: number): Buffer => expandLabel(hash, secret, 'key', bytes);
  // The nonce is this and the record's number, which is 0.
  const nonce = expandLabel(hash, secret, 'iv', 12);
  const plain = Buffer.concat([body, Buffer.from([alertType])]);
  const header = headerOf(applicationDataType, plain.length + tagBytes);
  const seal = cipherSuite.includes('CHACHA20')
    ? createCipheriv('chacha20-poly1305', key(32), nonce, { authTagLength: tagBytes })
    : cipherSuite.includes('AES_256')
      ? createCipheriv('aes-256-gcm', key(32), nonce)
      : createCipheriv('aes-128-gcm', key(16), nonce);
  seal.setAAD(header, { plaintextLength: plain.length });
  return Buffer.concat([header, seal.update(plain), seal.final(), seal.getAuthTag()]);
}

/** HKDF-Expand-Label (RFC 8446, 7.1) for no more than one block and without a context. */
function expandLabel(hash: string, secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0])]);
  return createHmac(hash, secret)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length);
}

function record(type: number, body: Buffer): Buffer {
  return Buffer.concat([headerOf(type, body.length), body]);
}

function headerOf(type: number, length: number): Buffer {
  return Buffer.from([type, 3, 3, 0, length]);
}

const fatal = 2;
const alertType = 21;
const applicationDataType = 23;
const tagBytes = 16;
