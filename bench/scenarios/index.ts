import { bulkDownload, bulkUpload } from './bulk.ts';
import { decisions } from './decisions.ts';
import { fixedRate } from './fixed-rate.ts';
import { idle } from './idle.ts';
import { inspect } from './inspect.ts';
import { keepalive } from './keepalive.ts';
import { newConnection } from './new-connection.ts';
import { pingPongs } from './ping-pong.ts';
import { reload } from './reload.ts';
import type { Scenario } from './scenario.ts';
import { sessionLog } from './session-log.ts';
import { slowReader } from './slow-reader.ts';
import { tlsDownload, tlsHandshake, tlsKeepalive } from './tls.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  keepalive,
  fixedRate,
  ...pingPongs,
  newConnection,
  sessionLog,
  inspect,
  bulkDownload,
  bulkUpload,
  idle,
  slowReader,
  tlsHandshake,
  tlsKeepalive,
  tlsDownload,
  reload,
  decisions,
];
