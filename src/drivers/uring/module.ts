import type { DriverModule } from '../driver.ts';
import { createUringDriver } from './driver.ts';

export const uring: DriverModule = {
  name: 'uring',
  sharesPorts: true,
  create: (host) => createUringDriver(host),
};
