/**
 * All that holds for plain connections holds for encrypted ones: the same suite, with TLS terminated on the one
 * side and spoken on the other. To the suite, a session is accepted once it is secured.
 */
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { vi } from 'vitest';
import type { CoreEvent, SessionId } from '../../src/core/contract.ts';
import type { BackendTls, ListenerTls } from '../../src/core/plan.ts';
import type { Driver, DriverHost } from '../../src/drivers/driver.ts';
import { createPortableDriver } from '../../src/drivers/portable/driver.ts';
import { selfSigned } from '../support/certificate.ts';
import { inTime } from './peers.ts';
import { describeDriver } from './suite.ts';

// Thousands of handshakes, each of four parties in one thread, take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const certificate = selfSigned('service.example');

const listenerTls: ListenerTls = {
  certificates: [certificate],
  minVersion: 'TLSv1.2',
  alpn: [],
  clientAuth: 'off',
  clientCa: undefined,
  handshakeTimeoutMs: 5_000,
};

const backendTls: BackendTls = {
  servername: 'service.example',
  ca: certificate.cert,
  verify: true,
  cert: undefined,
  key: undefined,
};

describeDriver(
  'portable driver over TLS',
  overTls,
  {
    preamble: 'it goes out ahead of TLS',
    'Driver still accepts who waited when it was told to unlisten': 'its clients are plain ones',
    'Driver out of descriptors neither spins nor cuts open sessions, and accepts again later':
      'its clients are plain ones',
  },
  { speech: { client: speakTls, backend: answerTls } },
);

type Accepted = Extract<CoreEvent, { readonly kind: 'accepted' }>;

/** A portable driver whose clients all have TLS, and its backends too. */
function overTls(host: DriverHost): Driver {
  const arriving = new Map<SessionId, Accepted>();
  const emit = (event: CoreEvent): void => {
    if (event.kind === 'accepted') {
      arriving.set(event.session, event);
      driver.execute({ kind: 'secure', session: event.session, tls: listenerTls });
      return;
    }
    const arrived = 'session' in event ? arriving.get(event.session) : undefined;
    if (arrived === undefined) return host.emit(event);
    if (event.kind === 'secured') host.emit(arrived);
    if (event.kind === 'secure-failed') {
      driver.execute({ kind: 'close', session: event.session, how: 'reset' });
    } else arriving.delete(arrived.session);
  };
  const driver = createPortableDriver({
    ticketKeys: host.ticketKeys,
    emit,
    deadline: () => host.deadline(),
    receive: () => host.receive(),
    now: () => host.now(),
    countBytes: (listener, toBackend, toClient) => host.countBytes(listener, toBackend, toClient),
  });
  return {
    listen: (listener, address, options) => driver.listen(listener, address, options),
    unlisten: (address) => driver.unlisten(address),
    execute: (command) => driver.execute(command.kind === 'dial' ? { ...command, tls: backendTls } : command),
    wakeAt: (deadlineMs) => driver.wakeAt(deadlineMs),
    lastByteMs: (session) => driver.lastByteMs(session),
    arrivedAt: (session) => driver.arrivedAt(session),
    close: () => driver.close(),
  };
}

async function speakTls(socket: Socket): Promise<Socket> {
  const client = tls.connect({ socket, servername: 'service.example', ca: certificate.cert });
  await inTime(
    new Promise<void>((resolve, reject) => {
      client.once('secureConnect', resolve);
      client.once('error', reject);
    }),
    'handshake',
  );
  return resettable(client, socket);
}

/** TLS 1.2, so that the driver speaks both versions, and no ticket goes out behind the handshake. */
function answerTls(socket: Socket): Socket {
  const secureContext = tls.createSecureContext({ ...certificate, maxVersion: 'TLSv1.2' });
  return resettable(new tls.TLSSocket(socket, { isServer: true, secureContext }), socket);
}

/** Node resets only sockets that it has not put TLS over. */
function resettable(secure: tls.TLSSocket, transport: Socket): Socket {
  secure.resetAndDestroy = () => {
    transport.resetAndDestroy();
    return secure;
  };
  return secure;
}
