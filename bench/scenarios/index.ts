import { bulkDownload, bulkUpload } from './bulk.ts';
import { decisions } from './decisions.ts';
import { fixedRate } from './fixed-rate.ts';
import { idle } from './idle.ts';
import { keepalive } from './keepalive.ts';
import { newConnection } from './new-connection.ts';
import { reload } from './reload.ts';
import type { Scenario } from './scenario.ts';
import { slowReader } from './slow-reader.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  keepalive,
  fixedRate,
  newConnection,
  bulkDownload,
  bulkUpload,
  idle,
  slowReader,
  reload,
  decisions,
];
