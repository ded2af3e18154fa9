/** How a pool's backends are connected to. */
import type { ConnectPolicy } from '../../core/plan.ts';
import { section } from './option.ts';
import { sentProxyProtocol } from './proxy-protocol.ts';
import { checkOrder, duration, integer } from './terms.ts';
import { backendTls } from './tls.ts';

const backoff = section(
  'The wait before trying the same backend again: exponential, with full jitter.',
  {
    initial: duration('zero', { description: 'Longest first wait; doubles from then on.', default: 50 }),
    max: duration('zero', { description: 'Longest wait of all.', default: 1_000 }),
  },
  ({ initial, max }): ConnectPolicy['backoff'] => ({ initialMs: initial, maxMs: max }),
  (values, location) => checkOrder(values, 'initial', 'max', location),
);

export const connect = section(
  'Connecting to a backend.',
  {
    timeout: duration('positive', { description: 'How long one attempt may take.', default: 2_000 }),
    retries: integer(0, 100, {
      description: 'Further attempts after the first, each on another backend while one is left.',
      default: 2,
    }),
    backoff,
    proxyProtocol: sentProxyProtocol,
    tls: backendTls,
  },
  ({ timeout, ...rest }): ConnectPolicy => ({ timeoutMs: timeout, ...rest }),
);
