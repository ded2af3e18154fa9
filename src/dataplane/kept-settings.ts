/**
 * The TLS settings of a worker's plans. Each plan comes as a message and so as new objects; what it repeats of the
 * plan before is replaced by the object of that, so that contexts that were made for it are found again (200
 * certificates took 182 ms at every reload and every change of a name). Settings that the last plan does not have
 * are forgotten here, and with their last session everywhere.
 */
import { createHash } from 'node:crypto';
import type { BackendTls, KeyPair, ListenerTls, Plan } from '../core/plan.ts';

export class KeptSettings {
  #listeners: ReadonlyMap<string, ListenerTls> = new Map();
  #certificates: ReadonlyMap<string, KeyPair> = new Map();
  #backends: ReadonlyMap<string, BackendTls> = new Map();

  /** The plan, with the objects of the one before where these say the same. */
  adopt({ listeners, pools }: Plan): Plan {
    const listenerTls = new Keeping(this.#listeners);
    const backendTls = new Keeping(this.#backends);
    const pairs = new Keeping(this.#certificates);
    const plan: Plan = {
      listeners: listeners.map((listener) => {
        const { policy } = listener;
        return policy.tls === 'off'
          ? listener
          : { ...listener, policy: { ...policy, tls: listenerTls.keep(withKept(policy.tls, pairs)) } };
      }),
      pools: pools.map((pool) => {
        const { policy } = pool;
        const { connect } = policy;
        if (connect.tls === 'off') return pool;
        return { ...pool, policy: { ...policy, connect: { ...connect, tls: backendTls.keep(connect.tls) } } };
      }),
    };
    this.#listeners = listenerTls.kept;
    this.#backends = backendTls.kept;
    this.#certificates = pairs.kept;
    return plan;
  }
}

/** Where one certificate of many has changed, the others are those that were there. */
function withKept(tls: ListenerTls, pairs: Keeping<KeyPair>): ListenerTls {
  return { ...tls, certificates: tls.certificates.map((pair) => pairs.keep(pair)) };
}

class Keeping<T extends object> {
  readonly kept = new Map<string, T>();
  readonly #before: ReadonlyMap<string, T>;

  constructor(before: ReadonlyMap<string, T>) {
    this.#before = before;
  }

  keep(settings: T): T {
    // Settings are plain values and come from one maker, which always writes their keys in the same order.
    const content = createHash('sha256').update(JSON.stringify(settings)).digest('base64');
    const known = this.kept.get(content) ?? this.#before.get(content) ?? settings;
    this.kept.set(content, known);
    return known;
  }
}
