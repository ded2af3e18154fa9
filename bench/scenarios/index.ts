import { bulkDownload, bulkUpload } from './bulk.ts';
import { decisions } from './decisions.ts';
import { fixedConnectRate, fixedRate } from './fixed-rate.ts';
import { handshakeFlood } from './handshake-flood.ts';
import { idle, tlsIdle } from './idle.ts';
import { inspect } from './inspect.ts';
import { keepalive } from './keepalive.ts';
import { mostlyIdle } from './mostly-idle.ts';
import { newConnection } from './new-connection.ts';
import { pingPongs } from './ping-pong.ts';
import { reload } from './reload.ts';
import type { Scenario } from './scenario.ts';
import { sessionLog } from './session-log.ts';
import { slowReader } from './slow-reader.ts';
import { tlsDownload, tlsHandshake, tlsKeepalive, tlsResumed } from './tls.ts';
import { wrkConnect, wrkKeepalive, wrkTlsKeepalive, wrkTlsResumed } from './wrk.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  keepalive,
  wrkKeepalive,
  fixedRate,
  ...pingPongs,
  newConnection,
  wrkConnect,
  fixedConnectRate,
  sessionLog,
  inspect,
  bulkDownload,
  bulkUpload,
  idle,
  mostlyIdle,
  slowReader,
  tlsHandshake,
  tlsResumed,
  wrkTlsResumed,
  tlsKeepalive,
  wrkTlsKeepalive,
  handshakeFlood,
  tlsDownload,
  tlsIdle,
  reload,
  decisions,
];
