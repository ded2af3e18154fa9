/** What a pool's backends are asked about themselves, by HAProxy's agent protocol. */
import type { AgentCheckConfig } from '../config.ts';
import { mapping, optional } from './option.ts';
import { duration, integer, percent, text } from './terms.ts';

const options = {
  port: integer(1, 65_535, { description: 'Where the agent listens.', examples: [9009] }),
  host: optional(
    text('a host name or an IP address', {
      pattern: '^[!-~]+$',
      description:
        "Where it runs; defaults to the backend's own host. Backends of unix sockets without it are not asked.",
      examples: ['10.0.0.9'],
    }),
  ),
  interval: duration('positive', {
    description: 'From one question to the next.',
    default: 2_000,
  }),
  timeout: optional(
    duration('positive', {
      description: 'How long an answer may take. Defaults to the interval.',
      default: 2_000,
    }),
  ),
  send: optional(
    text('a text of 1 to 4096 characters', {
      maxLength: 4096,
      description: 'What the agent is sent first. Line ends need double quotes: "state\\n".',
      examples: ['state\n'],
    }),
  ),
  jitter: percent({
    description: 'Share of the interval by which each wait is longer or shorter.',
    default: 10,
  }),
};

export const agentCheck = optional(
  mapping(
    "Asks an agent of each backend for its state, weight, limit and health, by HAProxy's agent protocol.",
    options,
    ({ port, host, interval, timeout, send, jitter }): AgentCheckConfig => ({
      port,
      host,
      intervalMs: interval,
      timeoutMs: timeout ?? interval,
      send,
      jitterPercent: jitter,
    }),
    { example: '{ port: 9009 }' },
  ),
);
