/**
 * What a listener lets in, judged before a session costs anything: the listener's rate, its connections,
 * then the client's rate and connections.
 */
import { assert } from './assert.ts';
import type { ListenerSlot } from './contract.ts';
import type { AddressWords, ClientPlace } from './ledger/client-table.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Endpoint } from './net/endpoint.ts';
import type { ClientLimits, ConnectionRate, ListenerLimits } from './plan.ts';

type ListenerRefusal = 'rate-limited' | 'listener-full';
type ClientRefusal = 'rate-limited' | 'client-full';

/** Clients without an IP address, as those of a unix socket, count as one. */
export const noAddress: AddressWords = [0, 0, 0, 0];

/** What an admitted session holds of its listener's limits; released exactly once. */
export class ListenerPermit {
  /** Undefined once it is released. */
  #listener: ListenerSlot | undefined;
  #place: ClientPlace | undefined;

  constructor(listener: ListenerSlot) {
    this.#listener = listener;
  }

  /** Judges by the client's own limits, once the client is known. A refusal releases nothing. */
  admitClient(
    ledger: Ledger,
    limits: ListenerLimits['perClient'],
    client: Endpoint,
    nowMs: number,
  ): ClientRefusal | undefined {
    assert(this.#listener !== undefined, 'a permit that was released admits nobody');
    const admitted = admitClient(ledger, this.#listener, limits, client, nowMs);
    if (typeof admitted === 'string') return admitted;
    this.#place = admitted;
    return undefined;
  }

  release(ledger: Ledger): void {
    assert(this.#listener !== undefined, 'a permit is released once');
    ledger.listenerActive.release(this.#listener);
    if (this.#place !== undefined) ledger.clients.active.release(this.#place);
    this.#listener = undefined;
  }
}

/** Judges by the limits of the listener; those of the client come after. */
export function admit(
  ledger: Ledger,
  listener: ListenerSlot,
  limits: ClientLimits,
  nowMs: number,
): ListenerPermit | ListenerRefusal {
  if (limits.connectionsPerSecond !== Number.POSITIVE_INFINITY) {
    ledger.lock.acquire();
    const passes = takeToken(ledger.buckets, listener, limits, nowMs);
    ledger.lock.release();
    if (!passes) return 'rate-limited';
  }
  if (!ledger.listenerActive.tryTake(listener, limits.maxConnections)) return 'listener-full';
  return new ListenerPermit(listener);
}

/**
 * Where more clients have connections than the table can tell apart, those that come then are held to the limits of
 * the listener alone: they get no place, and none is refused for it.
 */
function admitClient(
  ledger: Ledger,
  listener: ListenerSlot,
  limits: ListenerLimits['perClient'],
  client: Endpoint,
  nowMs: number,
): ClientPlace | undefined | ClientRefusal {
  const { clients, lock } = ledger;
  const address = client.network(limits.ipv6Prefix).words ?? noAddress;
  lock.acquire();
  try {
    const place = clients.place(listener, address);
    if (place === undefined) return undefined;
    if (!takeToken(clients, place, limits, nowMs)) return 'rate-limited';
    return clients.active.tryTake(place, limits.maxConnections) ? place : 'client-full';
  } finally {
    lock.release();
  }
}

/**
 * Takes a token out of a bucket that holds fractions and fills at a steady rate. `filledMs` 0 marks a bucket
 * never used, which is full. The lock must be held.
 */
export function takeToken(
  buckets: { readonly tokens: Float64Array; readonly filledMs: Float64Array },
  index: number,
  { connectionsPerSecond, burst }: ConnectionRate,
  nowMs: number,
): boolean {
  const { tokens, filledMs } = buckets;
  const since = filledMs[index] ?? 0;
  filledMs[index] = Math.max(nowMs, since, Number.MIN_VALUE);
  if (connectionsPerSecond === Number.POSITIVE_INFINITY) {
    // Full, whatever its size will be if a reload gives it a rate.
    tokens[index] = Number.POSITIVE_INFINITY;
    return true;
  }
  const gained = (Math.max(0, nowMs - since) * connectionsPerSecond) / 1_000;
  const held = since === 0 ? burst : Math.min(burst, (tokens[index] ?? 0) + gained);
  tokens[index] = held >= 1 ? held - 1 : held;
  return held >= 1;
}
