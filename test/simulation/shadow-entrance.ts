/** What the limits of listeners and clients must let in, written from the semantics and by itself. */
import type { ClientLimits, ListenerPlan } from '../../src/core/plan.ts';
import type { Reason } from '../../src/core/reasons.ts';
import { Tally } from './tally.ts';
import type { End } from './told.ts';

/** What an admitted session holds until it has ended. */
export interface ShadowEntry {
  readonly listener: number;
  /** Undefined until the client is known. */
  client: string | undefined;
}

export class ShadowEntrance {
  readonly listeners = new Tally<number>();
  readonly clients = new Tally<string>();
  readonly #buckets = new Map<string, { tokens: number; filledMs: number }>();

  admit({ slot, policy: { limits } }: ListenerPlan, nowMs: number): ShadowEntry | Reason {
    if (!this.#takeToken(`${slot}`, limits, nowMs)) return 'rate-limited';
    if (this.listeners.of(slot) >= limits.maxConnections) return 'listener-full';
    this.listeners.add(slot);
    return { listener: slot, client: undefined };
  }

  /** Why the client is not let in, if so. */
  admitClient(
    entry: ShadowEntry,
    { slot, policy }: ListenerPlan,
    client: End,
    nowMs: number,
  ): Reason | undefined {
    const { perClient } = policy.limits;
    const isOfNetwork = client.address.includes(':') && perClient.ipv6Prefix === 64;
    const key = `${slot} ${isOfNetwork ? '2001:db8::/64' : client.address}`;
    if (!this.#takeToken(key, perClient, nowMs)) return 'rate-limited';
    if (this.clients.of(key) >= perClient.maxConnections) return 'client-full';
    this.clients.add(key);
    entry.client = key;
    return undefined;
  }

  leave({ listener, client }: ShadowEntry): void {
    this.listeners.remove(listener);
    if (client !== undefined) this.clients.remove(client);
  }

  /** A rate that is unlimited takes nothing, and leaves the bucket of a client it knows full. */
  #takeToken(key: string, { connectionsPerSecond, burst }: ClientLimits, nowMs: number): boolean {
    const bucket = this.#buckets.get(key);
    if (connectionsPerSecond === Infinity) {
      if (key.includes(' ')) this.#buckets.delete(key);
      return true;
    }
    const gained = bucket === undefined ? burst : ((nowMs - bucket.filledMs) * connectionsPerSecond) / 1_000;
    const tokens = Math.min(burst, (bucket?.tokens ?? 0) + gained);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, filledMs: nowMs });
    return tokens >= 1;
  }
}
