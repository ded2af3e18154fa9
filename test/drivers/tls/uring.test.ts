/** What is TLS's own, over OpenSSL. */
import { describe } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { describeBackends } from './backends.ts';
import { describeClientCertificates } from './client-certificates.ts';
import { describeResumption } from './resumption.ts';
import { describeTermination } from './termination.ts';

describe.skipIf(whyNot() !== undefined)('uring', () => {
  describeTermination('uring');
  describeClientCertificates('uring');
  describeResumption('uring');
  describeBackends('uring');
});
