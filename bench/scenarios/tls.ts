/**
 * TLS taken off by the subject: P-256 certificate, TLS 1.3, AES-256-GCM, X25519, the same for all. What is not said is
 * the subject's default: behind a full handshake HAProxy gives two tickets and keeps both sessions, sluice gives one;
 * behind one that resumes both give one. Here the clients need more than the subjects, which are at work for less than
 * half of the time, find little to do in each turn, and are cold: `wrk-tls-resumed` says what one costs near the limit.
 */
import type { ConnectJob } from '../programs/connect-load.ts';
import type { Stage } from '../stage/stage.ts';
import { stream } from './bulk.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import { job as keepaliveJob } from './keepalive.ts';
import { job as connectJob } from './new-connection.ts';
import type { Scenario } from './scenario.ts';

const settings = [{ tls: true }] as const;

/** After 3,000 of them, Node's compiler still takes 7 % of what a connection costs. */
export const warmHandshakes = { warmSeconds: 3, warmUnits: 10_000 };

function handshakes(stage: Stage, speaks: ConnectJob['speaks']): ConnectJob {
  return { ...connectJob(stage, speaks), ...warmHandshakes };
}

export const tlsHandshake: Scenario = {
  name: 'tls-handshake',
  question:
    'What does a full TLS handshake cost, with one request after it? 32 at a time; latency from connecting to closed.',
  metrics: [
    rateMetric('conn.'),
    ...latencyMetrics,
    ...cpuMetrics('conn.', { cpu: 'CPU per full TLS handshake with one request (µs)' }),
    peakMetric,
  ],
  settings,
  rounds: (wanted) => wanted,
  measure: async (stage) => costs(await flawless(stage, 'connect-load', handshakes(stage, 'https'))),
};

export const tlsResumed: Scenario = {
  name: 'tls-resumed',
  question:
    'What does a TLS handshake cost that resumes a session by a ticket, with one request after it? 32 at a time.',
  metrics: [
    rateMetric('conn.'),
    ...latencyMetrics,
    ...cpuMetrics('conn.', { cpu: 'CPU per resumed TLS handshake with one request (µs)' }),
    peakMetric,
  ],
  settings,
  rounds: (wanted) => wanted,
  measure: async (stage) => costs(await flawless(stage, 'connect-load', handshakes(stage, 'https-resumed'))),
};

export const tlsKeepalive: Scenario = {
  name: 'tls-keepalive',
  question:
    'What does a request over TLS cost on a connection that is open already? 64 connections, autocannon.',
  metrics: [
    rateMetric('requests'),
    ...latencyMetrics,
    ...cpuMetrics('request', { cpu: 'CPU per keep-alive request over TLS, 64 connections (µs)' }),
    peakMetric,
  ],
  settings,
  rounds: (wanted) => wanted,
  measure: async (stage) => costs(await flawless(stage, 'keepalive-load', keepaliveJob(stage))),
};

export const tlsDownload: Scenario = {
  name: 'tls-download',
  question: 'How fast is one stream over TLS from the backend to the client?',
  metrics: [
    rateMetric('MiB', 'download over TLS, one connection (MiB/s)'),
    ...cpuMetrics('MiB', { cpu: 'CPU per MiB of download over TLS (µs)' }),
    peakMetric,
  ],
  settings,
  rounds: (wanted) => wanted,
  measure: (stage) => stream(stage, 'download'),
};
