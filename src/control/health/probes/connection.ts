/** The connection that a probe asks over, made as a session's is. */
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import type { Address, BackendTls } from '../../../core/plan.ts';
import { encodeLocalHeader, encodeProxyHeader } from '../../../core/wire/proxy-writing.ts';
import { isFullQueue } from '../../../drivers/dial-failure.ts';
import { errorCode } from '../../../drivers/shared.ts';
import { onPeerCertificate } from '../../../drivers/tls/node/peer-certificate.ts';
import { strength } from '../../../drivers/tls/strength.ts';
import type { Question, QuestionTls } from '../question.ts';

/** Told until when the certificate is good that a backend shows, in milliseconds since 1970. */
export type CertificateShown = (notAfterMs: number) => void;

/**
 * Connects, sends the PROXY protocol header, and shakes hands, where the backend expects these. The signal destroys the
 * connection in whatever state it is, and so does a failure; after a success it is the caller's.
 */
export async function connected(
  question: Question,
  signal: AbortSignal,
  certificateShown: CertificateShown,
): Promise<Socket> {
  const plain = await dialed(question.address, signal);
  try {
    await sendProxyHeader(plain, question.proxyProtocol);
    return question.tls === 'off' ? plain : await startTls(plain, question.tls, signal, certificateShown);
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

/** A full accept queue is waited for, as sessions do. */
async function dialed(address: Address, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    try {
      // Without Nagle's delay, for a header is a short write of its own.
      return await ready(connect({ ...address, noDelay: true }), 'connect', signal);
    } catch (error) {
      if (!isFullQueue(errorCode(error), address)) throw error;
      await pause(fullQueuePauseMs, undefined, { signal });
    }
  }
}

const fullQueuePauseMs = 20;

async function startTls(
  plain: Socket,
  { name, how }: QuestionTls,
  signal: AbortSignal,
  certificateShown: CertificateShown,
): Promise<Socket> {
  const socket = tls.connect({
    socket: plain,
    secureContext: contextOf(how),
    // An address is no name that could be sent (RFC 6066, 3), but certificates can be for one.
    ...(isIP(name) === 0 && { servername: name }),
    rejectUnauthorized: how.verify,
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
  });
  onPeerCertificate(socket, certificateShown);
  return await ready(socket, 'secureConnect', signal);
}

async function ready(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<Socket> {
  // `once` rejects with an error; one that comes after the outcome is of no interest.
  socket.on('error', () => {});
  addAbortSignal(signal, socket);
  try {
    await once(socket, event);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * Says that no client stands behind this connection. Version 1 has only UNKNOWN for that, which some servers
 * refuse, so it announces the probe's own ends where they can be said.
 */
async function sendProxyHeader(socket: Socket, version: Question['proxyProtocol']): Promise<void> {
  if (version === 'off') return;
  const header = version === 'v1' ? encodeProxyHeader('v1', endsOf(socket)) : encodeLocalHeader('v2');
  await new Promise<void>((resolve, reject) => {
    socket.write(header, (error) => (error ? reject(error) : resolve()));
  });
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket) {
  return {
    client: { address: localAddress ?? 'unix', port: localPort ?? 0 },
    destination: { address: remoteAddress ?? 'unix', port: remotePort ?? 0 },
  };
}

/** Reading authorities and keys takes long: once for each pool, and they are forgotten with its configuration. */
function contextOf(how: BackendTls): tls.SecureContext {
  const known = contexts.get(how);
  if (known !== undefined) return known;
  const { ca, cert, key } = how;
  const made = tls.createSecureContext({ ...strength, ca, cert, key });
  contexts.set(how, made);
  return made;
}

const contexts = new WeakMap<BackendTls, tls.SecureContext>();
