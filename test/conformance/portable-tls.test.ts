import { describeDriverOverTls } from './over-tls.ts';

describeDriverOverTls('portable');
