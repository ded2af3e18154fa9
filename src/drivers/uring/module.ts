import type { DriverModule } from '../driver.ts';
import { createUringDriver } from './driver.ts';
import { Estate, estateBytes } from './estate.ts';
import { loadLibc } from './libc.ts';

export const uring: DriverModule = {
  name: 'uring',
  sharesPorts: true,
  speaksTls: false,
  create: (host, estate) => createUringDriver(host, undefined, estate),
  estate: {
    bytes: estateBytes,
    settle: (estate) => new Estate(estate).settle(loadLibc()),
  },
};
