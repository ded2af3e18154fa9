/**
 * What the targets of a configuration stand for, now and as answers expire. What targets share is watched once. A target
 * that cannot be resolved keeps the endpoints it had, and so does one that resolves to nothing: a mistake in a zone does
 * not empty a pool.
 */
import { formatAddress } from '../../config/addresses.ts';
import type { ResolverConfig, Target } from '../../config/config.ts';
import { Questions } from './dns/questions.ts';
import type { SystemSettings } from './dns/system-resolver.ts';
import type { Endpoint, Lookup, Provider } from './provider.ts';
import { providers } from './providers.ts';
import { type Timing, Watch } from './watch.ts';

export interface DiscoveryDeps {
  readonly resolver: ResolverConfig;
  /** A name stands for other endpoints than before: not called for what `resolve` finds. */
  onChange(name: string): void;
  /** A name cannot be resolved any more (and why), or, with undefined, can be again. Once per change. */
  onProblem(name: string, problem: string | undefined): void;
  readonly timing?: Timing;
  readonly system?: SystemSettings;
}

const usualTiming: Timing = { minTtlMs: 5_000, maxTtlMs: 3_600_000, minRetryMs: 1_000, maxRetryMs: 30_000 };

export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #questions: Questions;
  readonly #watches = new Map<string, Watch<readonly Endpoint[]>>();

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
    this.#questions = new Questions(deps.resolver, deps.system);
  }

  /**
   * Watches these targets from now on, besides those watched already. Fulfilled when each has been resolved once or has
   * failed to, within about twice the resolver's timeout; never rejects.
   */
  async resolve(targets: readonly Target[]): Promise<void> {
    await Promise.all(targets.map((target) => this.#watched(target).first));
  }

  /** Forgets all but these targets. */
  retain(targets: readonly Target[]): void {
    const keys = new Set(targets.map(keyOf));
    for (const [key, watch] of this.#watches) {
      if (keys.has(key)) continue;
      watch.close();
      this.#watches.delete(key);
    }
  }

  /** In a stable order; empty while a target has never been resolved. */
  endpointsOf(target: Target): readonly Endpoint[] {
    const endpoints = this.#watches.get(keyOf(target))?.value ?? [];
    if (target.kind !== 'name') return endpoints;
    return endpoints.map((endpoint) => ({
      ...endpoint,
      address: { ...endpoint.address, port: target.port },
    }));
  }

  close(): void {
    this.retain([]);
    this.#questions.close();
  }

  #watched(target: Target): Watch<readonly Endpoint[]> {
    const key = keyOf(target);
    const watched = this.#watches.get(key);
    if (watched !== undefined) return watched;
    const { onChange, onProblem, timing = usualTiming } = this.#deps;
    const name = nameOf(target);
    const watch = new Watch<readonly Endpoint[]>(
      {
        lookup: lookupOf(target, this.#questions),
        onChange: () => onChange(name),
        onProblem: (problem) => onProblem(name, problem),
      },
      timing,
    );
    this.#watches.set(key, watch);
    return watch;
  }
}

function lookupOf(target: Target, questions: Questions): Lookup {
  const provide = providers[target.kind] as Provider<Target['kind']>; // The one of this kind takes this target.
  return provide(target, { questions });
}

/** Targets with the same key stand for the same endpoints, but for their port. */
function keyOf(target: Target): string {
  return `${target.kind} ${nameOf(target)}`;
}

function nameOf(target: Target): string {
  return target.kind === 'address' ? formatAddress(target.address) : target.name;
}
