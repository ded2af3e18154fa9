import { createPortableDriver } from '../../src/drivers/portable/driver.ts';
import { describeDriver } from './suite.ts';

describeDriver('portable driver by documented means alone', (host) =>
  createPortableDriver(host, 'documented'),
);
