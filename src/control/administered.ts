/**
 * How backends, pools and listeners are administered, as people are shown it; and why a change of one is refused.
 */
import { createHash } from 'node:crypto';
import { nearest } from '../config/nearest.ts';
import type { Accept, AdminState, Layer } from '../core/admin-state.ts';
import type { PoolHold } from '../core/plan.ts';
import type { BackendFields, BackendName, Hold, Mark, Override } from './overrides.ts';

/** How a backend is administered: for people. */
export interface Administered extends BackendName {
  /** Those that the name stands for with which it was asked for; `backend` is the first of them. */
  readonly addresses: readonly string[];
  readonly layers: Layers;
  readonly effective: BackendFields;
  readonly overrides: readonly Override[];
}

/** How a pool is. */
export interface AdministeredPool {
  readonly pool: string;
  readonly hold: HoldState | undefined;
  readonly overrides: readonly Override[];
}

/** How a listener is. */
export interface AdministeredListener {
  readonly listener: string;
  readonly accept: Accept;
  readonly overrides: readonly Override[];
}

/** A hold, or the release after it. */
export interface HoldState extends Hold, Mark, Pick<PoolHold, 'phase' | 'ratePerSecond'> {}

/** What each layer wants of a backend. */
export type Layers = Readonly<Record<Layer, AdminState>>;

/** No pool or backend has the name; the nearest that one has, if any is near. */
export class UnknownName extends Error {
  constructor(what: 'pool' | 'backend' | 'listener', name: string, candidates: readonly string[]) {
    const near = nearest(name, candidates);
    const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
    super(`There is no ${what} ${JSON.stringify(name)}${hint}`);
  }
}

/** What was to be changed has been changed since it was looked at. */
export class StaleRevision extends Error {
  constructor() {
    super('It has been changed since; its revision is another');
  }
}

/** Changes with whatever is changed of it, by an operator or in the configuration. */
export function revisionOf(administered: Administered | AdministeredPool | AdministeredListener): string {
  return createHash('sha256').update(JSON.stringify(administered)).digest('hex').slice(0, 16);
}
