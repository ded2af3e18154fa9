/**
 * All that holds for plain connections holds for encrypted ones: the same suite, with TLS terminated on the one
 * side and spoken on the other. To the suite, a link is accepted once it is secured.
 */
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { vi } from 'vitest';
import type { BackendTls } from '../../src/core/plan.ts';
import { listenerTls } from '../core/harness.ts';
import { selfSigned } from '../support/certificate.ts';
import type { DriverName } from './messages.ts';
import { inTime } from './peers.ts';
import { describeDriver } from './suite.ts';

const certificate = selfSigned('service.example');

const backendTls: BackendTls = {
  servername: 'service.example',
  ca: certificate.cert,
  verify: true,
  cert: undefined,
  key: undefined,
};

export function describeDriverOverTls(driver: DriverName): void {
  // Thousands of handshakes, each of four parties in one thread, take their time on a busy machine.
  vi.setConfig({ testTimeout: 60_000 });
  describeDriver(
    driver,
    {
      first: 'it goes out ahead of TLS',
      'Driver tells that a backend was reached during a stall before it calls for the deadline':
        'a handshake takes the answers of both',
      'Driver still accepts who waited when it was told to unlisten': 'its clients are plain ones',
      'Driver leaves clients waiting while their address is paused, and loses none':
        'its clients are plain ones',
      'Driver pauses an address under clients that it has, and they go on': 'its clients are plain ones',
      'Driver serves clients of a paused address that it stops listening on': 'its clients are plain ones',
      'Driver out of descriptors turns clients away, neither spins nor cuts open sessions, and accepts again later':
        'its clients are plain ones',
    },
    {
      tls: { listener: { ...listenerTls, certificates: [certificate] }, backend: backendTls },
      speech: { client: speakTls, backend: answerTls },
    },
  );
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
