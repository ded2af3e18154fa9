/** Open sessions as people look at them, a slice at a time: bytes of others must not wait for a long list. */

import { type AddressSet, contains } from './access/address-set.ts';
import { addressWords } from './addresses.ts';
import type { Protocol } from './wire/protocol.ts';

export const sessionStates = ['inspecting', 'queued', 'held', 'dialing', 'relaying', 'closing'] as const;
export type SessionState = (typeof sessionStates)[number];

/** One open session. Times are in milliseconds. */
export interface SessionView {
  /** Given once in a worker's life. */
  readonly serial: number;
  readonly state: SessionState;
  readonly listener: string;
  readonly client: { readonly address: string; readonly port: number };
  readonly pool: string | undefined;
  readonly backend: string | undefined;
  readonly protocol: Protocol | undefined;
  readonly sni: string | undefined;
  readonly alpn: string | undefined;
  readonly ageMs: number;
  /** Since when no byte has come from either side. */
  readonly idleMs: number;
  readonly queueMs: number;
  readonly connectMs: number | undefined;
  readonly attempts: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

/** All that are given must hold. */
export interface SessionFilter {
  readonly serial?: number;
  readonly listener?: string;
  readonly pool?: string;
  /** Any of these. */
  readonly backends?: readonly string[];
  readonly state?: SessionState;
  readonly client?: AddressSet;
  readonly olderThanMs?: number;
  readonly idleForMs?: number;
  readonly minBytes?: number;
}

export interface SessionPage {
  readonly sessions: readonly SessionView[];
  /** Where the next slice begins; undefined after the last. */
  readonly next: number | undefined;
}

export function matches(filter: SessionFilter, view: SessionView): boolean {
  const { client, backends, olderThanMs = 0, idleForMs = 0, minBytes = 0, ...exact } = filter;
  return (
    Object.entries(exact).every(([key, value]) => Reflect.get(view, key) === value) &&
    (backends === undefined || (view.backend !== undefined && backends.includes(view.backend))) &&
    view.ageMs >= olderThanMs &&
    view.idleMs >= idleForMs &&
    view.bytesToBackend + view.bytesToClient >= minBytes &&
    (client === undefined || isIn(client, view.client.address))
  );
}

function isIn(networks: AddressSet, address: string): boolean {
  const words = addressWords(address);
  return words !== undefined && contains(networks, words);
}
