import type { IdleJob } from '../programs/idle-load.ts';
import type { Setting } from '../subjects/subject.ts';
import { flawless, isProxy, loadOf, peakMetric, peakMib } from './costs.ts';
import type { Scenario } from './scenario.ts';

/** Two descriptors each in the proxy: within the limit of 20,000 that machines often have. */
export const idle = idleConnections({ name: 'idle', kind: 'connection', connections: 9_000 });

/** Fewer, since the load holds as many sessions, each in the memory of Node's own TLS. */
export const tlsIdle = idleConnections({
  name: 'tls-idle',
  kind: 'TLS connection',
  connections: 3_000,
  settings: [{ tls: true }],
});

interface IdleConnections {
  readonly name: string;
  readonly kind: string;
  readonly connections: number;
  readonly settings?: readonly Setting[];
}

function idleConnections({ name, kind, connections, settings }: IdleConnections): Scenario {
  const open = connections.toLocaleString('en');
  return {
    name,
    question: `What does a ${kind} hold while nobody speaks? ${open} connections after one byte each way; the proxy's own memory, not the kernel's.`,
    metrics: [
      {
        key: 'resident',
        title: 'resident',
        unit: 'bytes/conn.',
        better: 'lower',
        compared: true,
        headline: `resident memory per idle ${kind}, ${open} open (bytes)`,
      },
      peakMetric,
    ],
    ...(settings && { settings }),
    suits: isProxy,
    rounds: (wanted) => Math.ceil(wanted / 2),
    async measure(stage) {
      const job: IdleJob = { port: stage.port, tls: settings !== undefined, connections };
      const drive = await flawless(stage, 'idle-load', job, { settle: true });
      const { before, after } = drive;
      return {
        values: {
          resident: before && after && (after.residentBytes - before.residentBytes) / connections,
          peak: peakMib(drive),
        },
        ...loadOf(drive),
      };
    },
  };
}
