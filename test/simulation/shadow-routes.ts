/** Which pool a client belongs to, found by reading the list from top to bottom. */
import type { PoolSlot, RouteCondition, RoutePlan, SplitPlan } from '../../src/core/plan.ts';
import { isIn } from './neighbourhood.ts';
import type { Meaning } from './speech.ts';

/** What is known of a client so far; undefined is not known yet. */
export type Known = { readonly [Fact in keyof Meaning]: Meaning[Fact] | undefined };

/** The first route that matches; undefined where none does. */
export function firstMatch(
  routes: readonly RoutePlan[],
  address: string,
  known: Known,
): RoutePlan | 'not-known-yet' | undefined {
  for (const route of routes) {
    const answers = answersTo(route.when, address, known);
    if (answers.includes(false)) continue;
    return answers.includes(undefined) ? 'not-known-yet' : route;
  }
  return undefined;
}

/** Of a split, whose turn the next is after so many. */
export function inTurn({ shares }: SplitPlan, taken: number): PoolSlot | undefined {
  const sum = shares.reduce((total, { weight }) => total + weight, 0);
  const earned = shares.map(() => 0);
  let chosen = 0;
  for (let turn = 0; turn <= taken % sum; turn++) {
    for (const [index, { weight }] of shares.entries()) earned[index] = (earned[index] ?? 0) + weight;
    chosen = earned.indexOf(Math.max(...earned));
    earned[chosen] = (earned[chosen] ?? 0) - sum;
  }
  return shares[chosen]?.pool;
}

/** Those of a split that ever have a turn. */
export function poolsOf({ shares }: SplitPlan): readonly PoolSlot[] {
  return shares.filter(({ weight }) => weight > 0).map(({ pool }) => pool);
}

type Answer = boolean | undefined;

function answersTo(when: RouteCondition, address: string, known: Known): readonly Answer[] {
  const { protocol, sni, alpn, httpHost } = known;
  return [
    when.client === undefined || isIn(when.client, address),
    when.protocol === undefined || (protocol && when.protocol.includes(protocol)),
    when.alpn === undefined ||
      (alpn === undefined ? undefined : when.alpn.some((one) => alpn?.includes(one))),
    isNamed(when.sni, sni),
    isNamed(when.httpHost, httpHost),
  ];
}

function isNamed(patterns: readonly string[] | undefined, name: string | null | undefined): Answer {
  if (patterns === undefined) return true;
  if (name === undefined) return undefined;
  return name !== null && patterns.some((pattern) => fits(pattern, name));
}

/** A star stands for one label or more. */
function fits(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  return name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1;
}
