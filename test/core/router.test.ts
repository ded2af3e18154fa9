import { describe, expect, it } from 'vitest';
import { parseAddressRange } from '../../src/core/access/address-range.ts';
import { compileAddressSet } from '../../src/core/access/address-set.ts';
import { addressWords } from '../../src/core/addresses.ts';
import type { RouteCondition, RoutePlan } from '../../src/core/plan.ts';
import { Router } from '../../src/core/router.ts';
import { nothingYet, type ObservedFacts } from '../../src/core/wire/sniffer.ts';
import { freshLedger, sharedLedgers } from './harness.ts';

const anyone = '192.0.2.1';

describe('Router', () => {
  it('takes the first route that matches', () => {
    const routes = [
      to(1, { sni: ['a.example'] }),
      to(2, { sni: ['b.example'] }),
      to(3, { protocol: ['tls'] }),
    ];
    expect(poolFor(routes, tls('b.example'))).toBe(2);
    expect(poolFor(routes, tls('c.example'))).toBe(3);
    expect(poolFor(routes.toReversed(), tls('b.example'))).toBe(3);
    expect(poolFor(routes, { ...tls(null), protocols: ['unknown'] })).toBeUndefined();
  });

  it('takes the first also where several indices tell of it', () => {
    const routes = [
      to(1, { httpHost: ['x.example'] }),
      to(2, { client: network('192.0.2.0/24'), protocol: ['http'] }),
      to(3, { httpHost: ['y.example'] }),
    ];
    expect(poolFor(routes, http('x.example'))).toBe(1);
    expect(poolFor(routes, http('y.example'))).toBe(2);
    expect(poolFor(routes, http('y.example'), '198.51.100.1')).toBe(3);
  });

  it('matches a name as a whole, and *. whatever lies below a name', () => {
    const routes = [to(1, { sni: ['api.example.com'] }), to(2, { sni: ['*.example.com'] })];
    expect(poolFor(routes, tls('api.example.com'))).toBe(1);
    expect(poolFor(routes, tls('www.example.com'))).toBe(2);
    expect(poolFor(routes, tls('a.b.example.com'))).toBe(2);
    for (const name of [
      'example.com',
      'evilexample.com',
      'api.example.com.evil',
      'example.com.',
      'com',
      '',
    ]) {
      expect(poolFor(routes, tls(name)), name).toBeUndefined();
    }
  });

  it('wants all conditions of a route, and any of a list', () => {
    const routes = [to(1, { sni: ['a.example', 'b.example'], alpn: ['h2'], client: network('10.0.0.0/8') })];
    expect(poolFor(routes, tls('b.example', ['http/1.1', 'h2']), '10.1.2.3')).toBe(1);
    expect(poolFor(routes, tls('c.example', ['h2']), '10.1.2.3')).toBeUndefined();
    expect(poolFor(routes, tls('a.example', ['http/1.1']), '10.1.2.3')).toBeUndefined();
    expect(poolFor(routes, tls('a.example', null), '10.1.2.3')).toBeUndefined();
    expect(poolFor(routes, tls('a.example', ['h2']))).toBeUndefined();
  });

  it('waits for bytes only where no route above is known to match, and one may', () => {
    const byClient = to(1, { client: network('10.0.0.0/8') });
    const bySni = to(2, { sni: ['a.example'] });
    expect(poolFor([byClient, bySni], nothingYet, '10.0.0.1')).toBe(1);
    expect(poolFor([byClient, bySni], nothingYet)).toBe('needs-bytes');
    expect(poolFor([bySni, byClient], nothingYet, '10.0.0.1')).toBe('needs-bytes');
    expect(poolFor([byClient], nothingYet)).toBeUndefined();
    const bySniOfSome = to(3, { sni: ['a.example'], client: network('10.0.0.0/8') });
    expect(poolFor([bySniOfSome], nothingYet)).toBeUndefined();
    expect(poolFor([bySniOfSome, to(4, {})], nothingYet)).toBe(4);
  });

  it('goes on as soon as one fact rules a route out', () => {
    const routes = [to(1, { protocol: ['http'], httpHost: ['a.example'] }), to(2, { protocol: ['tls'] })];
    expect(poolFor(routes, { ...nothingYet, protocols: ['tls'] })).toBe(2);
    expect(poolFor(routes, { ...nothingYet, protocols: ['http'] })).toBe('needs-bytes');
    expect(poolFor(routes, { ...nothingYet, sni: 'a.example' })).toBe('needs-bytes');
  });

  it('says of each route what does not match', () => {
    const routes = [
      to(1, { sni: ['b.example'] }),
      to(1, { alpn: ['h2'] }),
      to(1, { protocol: ['ssh'] }),
      to(1, { client: network('10.0.0.0/8') }),
      to(1, { httpHost: ['a.example'] }),
      to(1, { protocol: ['tls'] }),
    ];
    const router = new Router(routes, freshLedger());
    const verdicts = router.explain(addressWords(anyone), tls('a.example'));
    expect(verdicts).toEqual(['sni', 'alpn', 'protocol', 'client', 'httpHost', 'matches']);
    expect(router.explain(addressWords(anyone), nothingYet)[0]).toBe('needs-bytes');
  });

  it('finds one of 1,000 names where it finds one of 10', () => {
    const routes = Array.from({ length: 1_000 }, (_, i) =>
      to(i, { sni: [`n${i}.example`, `*.w${i}.example`] }),
    );
    for (const i of [0, 1, 500, 999]) {
      expect(poolFor(routes, tls(`n${i}.example`))).toBe(i);
      expect(poolFor(routes, tls(`x.w${i}.example`))).toBe(i);
    }
  });

  it('splits exactly by weight, over all workers', () => {
    const route: RoutePlan = {
      when: conditions({}),
      to: {
        slot: 2,
        shares: [
          { pool: 1, weight: 99 },
          { pool: 2, weight: 1 },
        ],
      },
    };
    const routers = sharedLedgers(2).map((ledger) => new Router([route], ledger));
    const picked = Array.from({ length: 1_000 }, (_, i) => {
      const found = routers[i % 2]?.decide(undefined, nothingYet);
      return typeof found === 'object' ? found.nextPool() : undefined;
    });
    expect(picked.filter((pool) => pool === 2)).toHaveLength(10);
    expect(picked.filter((pool) => pool === 1)).toHaveLength(990);
  });
});

function conditions(when: Partial<RouteCondition>): RouteCondition {
  return {
    sni: undefined,
    alpn: undefined,
    protocol: undefined,
    httpHost: undefined,
    client: undefined,
    ...when,
  };
}

function to(pool: number, when: Partial<RouteCondition>): RoutePlan {
  return { when: conditions(when), to: pool };
}

function poolFor(
  routes: readonly RoutePlan[],
  facts: ObservedFacts,
  client = anyone,
): number | string | undefined {
  const route = new Router(routes, freshLedger()).decide(addressWords(client), facts);
  return typeof route === 'object' ? route.nextPool() : route;
}

function tls(sni: string | null, alpn: readonly string[] | null = null): ObservedFacts {
  return { protocols: ['tls'], sni, alpn, httpHost: null, isHelloFinal: true, isFinal: true };
}

function http(httpHost: string): ObservedFacts {
  return { protocols: ['http'], sni: null, alpn: null, httpHost, isHelloFinal: true, isFinal: true };
}

function network(text: string) {
  const range = parseAddressRange(text);
  return compileAddressSet(range === undefined ? [] : [range]);
}
