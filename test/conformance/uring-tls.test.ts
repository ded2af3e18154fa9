import { test } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { describeDriverOverTls } from './over-tls.ts';

const reason = whyNot();

if (reason === undefined) describeDriverOverTls('uring');
else test.skip(`uring driver over TLS (${reason})`);
