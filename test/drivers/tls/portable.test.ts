/** What is TLS's own, over Node's engine. */
import { describeBackends } from './backends.ts';
import { describeClientCertificates } from './client-certificates.ts';
import { describeResumption } from './resumption.ts';
import { describeTermination } from './termination.ts';

describeTermination('portable');
describeClientCertificates('portable');
describeResumption('portable');
describeBackends('portable');
