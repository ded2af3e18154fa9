/** Plans to ask about, and clients to ask for. */

import { parseAddressRange } from '../../../src/core/access/address-range.ts';
import { compileAddressSet } from '../../../src/core/access/address-set.ts';
import type {
  ListenerPlan,
  ListenerPolicy,
  Plan,
  PoolPlan,
  ProxyProtocolPolicy,
  RouteCondition,
  RoutePlan,
} from '../../../src/core/plan.ts';
import { backendPlan, listenerPlan, listenerPolicy, poolPlan } from '../harness.ts';

export const stranger = { address: '192.0.2.1', port: 40_000 };
export const balancer = { address: '10.0.0.1', port: 40_000 };

export type PlanChanges = Partial<ListenerPolicy> & Partial<Pick<ListenerPlan, 'routes' | 'pool'>>;

/** A listener `web` to `pool-0`, and three pools of two backends each: 0 and 1, 2 and 3, 4 and 5. */
export function planWith(changes: PlanChanges = {}, pool: Partial<PoolPlan['policy']> = {}): Plan {
  const { routes = [], pool: fallback, ...policy } = { pool: 0, ...changes };
  const pools = [0, 1, 2].map((slot) => ({
    ...poolPlan([backendPlan(slot * 2), backendPlan(slot * 2 + 1)], pool),
    slot,
    name: `pool-${slot}`,
  }));
  return { listeners: [{ ...listenerPlan(policy), routes, pool: fallback }], pools };
}

export function to(pool: RoutePlan['to'], when: Partial<RouteCondition>): RoutePlan {
  const all = {
    sni: undefined,
    alpn: undefined,
    protocol: undefined,
    httpHost: undefined,
    client: undefined,
  };
  return { when: { ...all, ...when }, to: pool };
}

export function headersFrom(
  network: string,
  mode: ProxyProtocolPolicy['mode'],
  fromUnix = false,
): ProxyProtocolPolicy {
  return { mode, from: networks(network), fromUnix, timeoutMs: 2_000 };
}

export function networks(...texts: readonly string[]) {
  return compileAddressSet(texts.flatMap((text) => parseAddressRange(text) ?? []));
}

export function limitsOf(own: Partial<ListenerPolicy['limits']>, perClient: object = {}) {
  const { limits } = listenerPolicy;
  return { ...limits, ...own, perClient: { ...limits.perClient, ...perClient } };
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export const get = bytesOf('GET / HTTP/1.1\r\nHost: www.example\r\n\r\n');
export const v1 = 'PROXY TCP4 198.51.100.7 203.0.113.9 5000 443\r\n';
