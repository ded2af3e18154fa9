/** A listener: the table of its options. */
import type { ListenerPolicy } from '../../core/plan.ts';
import type { ListenerConfig } from '../config.ts';
import type { Location } from '../location.ts';
import { access, accessPolicy, checkAccess } from './access.ts';
import { binds, type LocatedAddress } from './bind.ts';
import { inspect } from './inspect.ts';
import { listenerLimits } from './limits.ts';
import { type Defaults, defaultsOf, mapping, optional } from './option.ts';
import { acceptedProxyProtocol } from './proxy-protocol.ts';
import { poolName, routes } from './routes.ts';
import { oneOf } from './terms.ts';
import { timeouts } from './timeouts.ts';
import { listenerTls } from './tls.ts';

const options = {
  bind: binds,
  pool: optional(
    poolName({
      description: 'Where connections go when no route matches; without it they are refused then.',
      examples: ['app'],
    }),
  ),
  routes,
  inspect,
  tls: listenerTls,
  proxyProtocol: acceptedProxyProtocol,
  limits: listenerLimits,
  timeouts,
  ...access,
  refuseWith: oneOf(['reset', 'close'], {
    description: 'What a refused client sees: reset (RST) fails it at once, close sends FIN.',
    default: 'reset',
  }),
};

export type ListenerSection = Omit<ListenerConfig, 'name' | 'bind'> & {
  readonly bind: readonly LocatedAddress[];
};

export const listener = mapping(
  'Addresses to accept connections on, and what to do with them.',
  options,
  (values, location, input): ListenerSection => {
    const { bind, pool, routes } = values;
    const hasNone = (key: 'pool' | 'routes') => !location.at(key).isWritten;
    if (hasNone('pool') && (hasNone('routes') || input.routes?.length === 0)) {
      location.problem('Missing key "pool", where connections go', 'key');
    }
    checkAccess(values, location);
    const one: ListenerSection = { bind, pool, routes, policy: policyOf(values) };
    warnOfUnbelieved(one, location);
    warnOfUnreadHosts(one, location);
    return one;
  },
  { example: '{ bind: ":8080", pool: app }' },
);

function policyOf(values: Defaults<typeof options>): ListenerPolicy {
  const { limits, timeouts, refuseWith, proxyProtocol, inspect, tls } = values;
  return { access: accessPolicy(values), limits, timeouts, refuseWith, proxyProtocol, inspect, tls };
}

export const defaultListenerPolicy = policyOf(defaultsOf(options));

function warnOfUnbelieved({ bind, policy: { proxyProtocol } }: ListenerSection, location: Location): void {
  if (proxyProtocol === 'off' || proxyProtocol.fromUnix) return;
  if (!bind.some(({ address }) => 'path' in address)) return;
  location.at('proxyProtocol').warn('Believes nobody over a unix socket, where "from" lacks "unix"');
}

/** Browsers take HTTP/2 where it is offered, and its host is not read. */
function warnOfUnreadHosts({ routes, policy: { tls } }: ListenerSection, location: Location): void {
  const asks = routes.findIndex(({ when }) => when.httpHost !== undefined);
  if (asks < 0 || tls === 'off' || !tls.alpn.includes('h2')) return;
  location
    .at('routes', asks, 'when', 'httpHost')
    .warn(
      'Is not known of clients that agree on "h2", which tls.alpn offers: ask for "sni", or leave "h2" out',
    );
}
