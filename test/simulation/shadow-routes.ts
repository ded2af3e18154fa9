/** Which pool a client belongs to, found by reading the list from top to bottom. */
import type { PoolSlot, RouteCondition, RoutePlan, SplitPlan } from '../../src/core/plan.ts';
import { type Protocol, protocols } from '../../src/core/wire/protocol.ts';
import { isIn } from './neighbourhood.ts';
import type { Names, Words } from './speech.ts';

/** What is known of a client so far: what it may still speak, and of its names those that are not undefined. */
export interface Known extends Names {
  readonly left: readonly Protocol[];
  /** The name was asked for ahead of what is said now: what is not known of it never will be. */
  readonly isNameOver?: boolean;
  /** No more will be known. */
  readonly isAll: boolean;
}

/** What the first bytes of these words tell; `then`: whether more will come, or come and not be looked at. */
export function knownAfter(words: Words, length: number, then: 'more' | 'unseen' | 'none'): Known {
  const told = words.left.findLast(([from]) => length >= from);
  const left: readonly Protocol[] = told === undefined ? protocols : told.slice(1).filter(isProtocol);
  // Who has said nothing that is a protocol, and never will, speaks none.
  if (then === 'none' && left.length > 1) return nothing;
  const isWhole = words.bytes.length > 0 && length >= words.bytes.length;
  const name = <Fact extends keyof Names>(fact: Fact, of: Protocol): Names[Fact] | null | undefined =>
    left.includes(of) ? (isWhole && left.length === 1 ? words.names[fact] : undefined) : null;
  return {
    left,
    sni: name('sni', 'tls'),
    alpn: name('alpn', 'tls'),
    httpHost: name('httpHost', 'http'),
    isAll: then !== 'more' || (left.length === 1 && (isWhole || !['tls', 'http'].includes(`${left[0]}`))),
  };
}

/** What nobody knows counts as not there. */
export function asAbsent({ left, sni = null, alpn = null, httpHost = null }: Known): Known {
  return { left: left.length === 1 ? left : ['unknown'], sni, alpn, httpHost, isAll: true };
}

function isProtocol(word: string | number): word is Protocol {
  return typeof word === 'string';
}

const nothing: Known = { left: ['unknown'], sni: null, alpn: null, httpHost: null, isAll: true };

/** The first route that matches; undefined where none does. */
export function firstMatch(
  routes: readonly RoutePlan[],
  address: string,
  known: Known,
): RoutePlan | 'not-known-yet' | 'never-known' | undefined {
  for (const route of routes) {
    const answers = answersTo(route.when, address, known);
    if (answers.includes(false)) continue;
    if (!answers.includes(undefined)) return route;
    const besidesName = answersTo({ ...route.when, sni: undefined }, address, known);
    const isOver = known.isAll || (known.isNameOver === true && !besidesName.includes(undefined));
    return isOver ? 'never-known' : 'not-known-yet';
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
  const { left, sni, alpn, httpHost } = known;
  return [
    when.client === undefined || isIn(when.client, address),
    when.protocol === undefined || agreed(left.map((one) => when.protocol?.includes(one) === true)),
    when.alpn === undefined ||
      (alpn === undefined ? undefined : when.alpn.some((one) => alpn?.includes(one))),
    isNamed(when.sni, sni),
    isNamed(when.httpHost, httpHost),
  ];
}

/** What all say, where they agree. */
function agreed(answers: readonly boolean[]): Answer {
  return new Set(answers).size === 1 ? answers[0] : undefined;
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
