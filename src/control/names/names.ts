/**
 * What the names in a configuration stand for, now and as their records expire. Each name is watched once,
 * however many targets have it. A name that cannot be resolved keeps the addresses it had, and so does one
 * that resolves to nothing: a mistake in a zone does not empty a pool.
 */
import type { ResolverConfig, Target } from '../../config/config.ts';
import type { Endpoint } from './endpoint.ts';
import { readable } from './failure.ts';
import { Questions } from './questions.ts';
import type { SystemSettings } from './resolv-conf.ts';
import { Service } from './service.ts';
import { type Answer, type Timing, Watch } from './watch.ts';

export interface NamesOptions {
  readonly resolver: ResolverConfig;
  /** A name stands for other endpoints than before: not called for what `resolve` finds. */
  onChange(name: string): void;
  /** A name cannot be resolved any more (and why), or, with undefined, can be again. Once per change. */
  onProblem(name: string, problem: string | undefined): void;
  readonly timing?: Timing;
  readonly system?: SystemSettings;
}

const usualTiming: Timing = { minTtlMs: 5_000, maxTtlMs: 3_600_000, minRetryMs: 1_000, maxRetryMs: 30_000 };

export class Names {
  readonly #options: NamesOptions;
  readonly #questions: Questions;
  readonly #hosts = new Map<string, Watch<readonly string[]>>();
  readonly #services = new Map<string, Watch<readonly Endpoint[]>>();

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#questions = new Questions(options.resolver, options.system);
  }

  /**
   * Watches the names of these targets from now on, besides those watched already. Fulfilled when each has been
   * resolved once or has failed to, within about twice the resolver's timeout; never rejects.
   */
  async resolve(targets: readonly Target[]): Promise<void> {
    await Promise.all(targets.map((target) => this.#watch(target)?.first));
  }

  /** Forgets the names that none of these targets has. */
  retain(targets: readonly Target[]): void {
    keepOnly(this.#hosts, namesOf(targets, 'name'));
    keepOnly(this.#services, namesOf(targets, 'srv'));
  }

  /** In a stable order; empty while a name has never been resolved. */
  endpointsOf(target: Target): readonly Endpoint[] {
    switch (target.kind) {
      case 'address':
        return [{ address: target.address }];
      case 'name': {
        const hosts = this.#hosts.get(target.name)?.value ?? [];
        return hosts.map((host) => ({ address: { host, port: target.port } }));
      }
      case 'srv':
        return this.#services.get(target.name)?.value ?? [];
    }
  }

  close(): void {
    this.retain([]);
    this.#questions.close();
  }

  #watch(target: Target): Watch<unknown> | undefined {
    switch (target.kind) {
      case 'address':
        return undefined;
      case 'name':
        return this.#watched(this.#hosts, target.name, (previous) =>
          this.#questions.addresses(target.name, previous),
        );
      case 'srv': {
        const service = new Service(target.name, this.#questions);
        return this.#watched(this.#services, target.name, () => service.lookup());
      }
    }
  }

  #watched<T>(
    watches: Map<string, Watch<T>>,
    name: string,
    lookup: (previous: T | undefined) => Promise<Answer<T>>,
  ): Watch<T> {
    const watched = watches.get(name);
    if (watched !== undefined) return watched;
    const { onChange, onProblem, timing = usualTiming } = this.#options;
    const watch = new Watch<T>(
      {
        lookup: (previous) => lookup(previous).catch((error: unknown) => Promise.reject(readable(error))),
        onChange: () => onChange(name),
        onProblem: (problem) => onProblem(name, problem),
      },
      timing,
    );
    watches.set(name, watch);
    return watch;
  }
}

function namesOf(targets: readonly Target[], kind: 'name' | 'srv'): ReadonlySet<string> {
  return new Set(targets.flatMap((target) => (target.kind === kind ? [target.name] : [])));
}

function keepOnly(watches: Map<string, Watch<unknown>>, names: ReadonlySet<string>): void {
  for (const [name, watch] of watches) {
    if (names.has(name)) continue;
    watch.close();
    watches.delete(name);
  }
}
