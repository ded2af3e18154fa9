import { createPortableDriver } from '../../src/drivers/portable/driver.ts';
import { describeDriver } from './suite.ts';

describeDriver('portable driver', (host) => createPortableDriver(host));
