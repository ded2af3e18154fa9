/** A listener as an operator may think of it: limits, lists, headers, TLS and routes, in any combination. */
import type {
  ClientLimits,
  ListenerPlan,
  ListenerPolicy,
  ListenerTls,
  PoolSlot,
  RouteCondition,
  RoutePlan,
} from '../../src/core/plan.ts';
import type { Dice } from './dice.ts';
import { addressSets } from './neighbourhood.ts';

const unlimited = Number.POSITIVE_INFINITY;

export function drawListener(dice: Dice, slot: number, somePool: () => PoolSlot): ListenerPlan {
  const routes = drawRoutes(dice, slot, somePool);
  const lacksPool = routes.length > 0 && dice.chance(0.2);
  // One that denies whom it knows by a header, and limits each client: what gate comes first shows in its reasons.
  const isStrict = dice.chance(0.2);
  return {
    slot,
    name: `listener-${slot}`,
    pool: lacksPool ? undefined : somePool(),
    routes,
    policy: {
      limits: {
        ...drawLimits(dice, [unlimited, 6, 20], [unlimited, 200, 1_000]),
        perClient: {
          ...drawLimits(dice, [unlimited, 2, 6], isStrict ? [1] : [unlimited, unlimited, 50, 300]),
          ipv6Prefix: dice.one([64, 128]),
        },
      },
      timeouts: {
        idleMs: dice.one([40, 150, 800]),
        halfClosedMs: dice.one([15, 60, 1_200]),
        maxLifetimeMs: dice.one([unlimited, unlimited, 250, 1_500]),
      },
      access: {
        allow: dice.chance(0.25) ? dice.one(addressSets) : undefined,
        deny: isStrict || dice.chance(0.25) ? dice.one(addressSets) : undefined,
      },
      refuseWith: dice.one(['reset', 'close']),
      proxyProtocol: !isStrict && dice.chance(0.6) ? 'off' : drawProxyProtocol(dice),
      inspect: {
        timeoutMs: dice.one([10, 50, 300]),
        maxBytes: dice.one([8, 64, 16_384, 16_384]),
        undecided: dice.one(['refuse', 'refuse', 'fallback']),
      },
      tls: dice.chance(0.75) ? 'off' : dice.one(handshakes),
    },
  };
}

function drawLimits(dice: Dice, maxConnections: readonly number[], rates: readonly number[]): ClientLimits {
  const burst = dice.one([1, 5, 20]);
  return { maxConnections: dice.one(maxConnections), connectionsPerSecond: dice.one(rates), burst };
}

function drawProxyProtocol(dice: Dice): ListenerPolicy['proxyProtocol'] {
  return {
    mode: dice.one(['required', 'optional']),
    from: dice.one(addressSets),
    fromUnix: dice.chance(0.5),
    timeoutMs: dice.one([15, 60, 300]),
  };
}

const handshakes: readonly ListenerTls[] = [20, 200].map((handshakeTimeoutMs) => ({
  certificates: [],
  minVersion: 'TLSv1.2',
  alpn: ['h2'],
  clientAuth: 'off',
  clientCa: undefined,
  handshakeTimeoutMs,
}));

/** At most one split on a listener, so that the listener's slot can be that of its split too. */
function drawRoutes(dice: Dice, slot: number, somePool: () => PoolSlot): readonly RoutePlan[] {
  const count = dice.chance(0.4) ? 0 : dice.between(1, 4);
  const split = dice.between(0, 5);
  return Array.from({ length: count }, (_, index) => {
    const pools = [...new Set([somePool(), somePool(), somePool()])];
    const shares = pools.map((pool) => ({ pool, weight: dice.one([1, 1, 2, 3, 9]) }));
    return { when: drawCondition(dice), to: index === split ? { slot, shares } : somePool() };
  });
}

function drawCondition(dice: Dice): RouteCondition {
  const names = () => dice.one([['a.example'], ['*.a.example'], ['*.example'], ['example', 'b.a.example']]);
  const asks = dice.one(['sni', 'alpn', 'protocol', 'httpHost', 'client', 'nothing'] as const);
  const alsoAsks = dice.chance(0.3)
    ? dice.one(['sni', 'alpn', 'protocol', 'httpHost', 'client'] as const)
    : asks;
  const when = (fact: keyof RouteCondition): boolean => asks === fact || alsoAsks === fact;
  return {
    sni: when('sni') ? names() : undefined,
    alpn: when('alpn') ? dice.one([['h2'], ['acme', 'http/1.1']]) : undefined,
    protocol: when('protocol')
      ? dice.one([['ssh'], ['tls'], ['http'], ['unknown'], ['redis', 'postgres'], ['http', 'tls']])
      : undefined,
    httpHost: when('httpHost') ? names() : undefined,
    client: when('client') ? dice.one(addressSets) : undefined,
  };
}
