/**
 * What the targets of a configuration stand for, now and as answers expire. What targets share is watched once. A
 * target that cannot be resolved keeps the addresses it had, and so does one that resolves to nothing: a mistake in a
 * zone does not empty a pool.
 */
import { formatAddress } from '../../config/addresses.ts';
import type { Config, ResolverConfig, Target } from '../../config/config.ts';
import { Questions } from './dns/questions.ts';
import type { SystemSettings } from './dns/system-resolver.ts';
import type { Lookup, Provider, TargetAddress } from './provider.ts';
import { providers } from './providers.ts';
import { type Timing, Watch } from './watch.ts';

export interface DiscoveryDeps {
  readonly resolver: ResolverConfig;
  /** A name was found to stand for other addresses than before: not called for what `resolve` finds. */
  onChange(name: string, change: NameChange): void;
  /** A name was looked up; `problem` is what was wrong, undefined where all was well. */
  onLookup(name: string, problem: string | undefined): void;
  /** A name cannot be resolved, or can be again. Once per change. */
  onProblem(name: string, state: NameState): void;
  readonly timing?: Timing;
  readonly system?: SystemSettings;
}

/** Addresses as people write them; of a name they have no port, which each backend has its own. */
export interface NameChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface NameState {
  /** Why it cannot be resolved; undefined where it can be again. */
  readonly problem: string | undefined;
  /** Only some of its hosts cannot be resolved. */
  readonly isPartial: boolean;
  /** What it stands for now. */
  readonly addresses: readonly string[];
}

const usualTiming: Timing = { minTtlMs: 5_000, maxTtlMs: 3_600_000, minRetryMs: 1_000, maxRetryMs: 30_000 };

export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #questions: Questions;
  readonly #watches = new Map<string, Watched>();
  #taken: ReadonlyMap<string, readonly TargetAddress[]> = new Map();

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
    this.#questions = new Questions(deps.resolver, deps.system);
  }

  /**
   * Watches these targets from now on, besides those watched already. Fulfilled when each has been resolved once or has
   * failed to, within about twice the resolver's timeout; never rejects. One that is new stands at once for what it was
   * found to.
   */
  async resolve(targets: readonly Target[]): Promise<void> {
    await Promise.all(targets.map((target) => this.#watched(target).watch.first));
    const found = targets.map((target) => [keyOf(target), this.#watched(target).watch.value ?? []] as const);
    this.#taken = new Map([...found, ...this.#taken]);
  }

  /**
   * From now on the targets by this name, or all, stand for what they were found to last. Gives the way back, for where
   * there is no room for all of that.
   */
  takeOver(name?: string): () => void {
    const before = this.#taken;
    const meant = [...this.#watches].filter(([, one]) => name === undefined || one.name === name);
    this.#taken = new Map([...before, ...meant.map(([key, { watch }]) => [key, watch.value ?? []] as const)]);
    return () => {
      this.#taken = before;
    };
  }

  /** Forgets all but these targets. */
  retain(targets: readonly Target[]): void {
    const keys = new Set(targets.map(keyOf));
    for (const [key, { watch }] of this.#watches) {
      if (keys.has(key)) continue;
      watch.close();
      this.#watches.delete(key);
    }
    this.#taken = new Map([...this.#taken].filter(([key]) => keys.has(key)));
  }

  /** What it stands for, in a stable order; empty while a target has never been resolved. */
  addressesOf(target: Target): readonly TargetAddress[] {
    const addresses = this.#taken.get(keyOf(target)) ?? [];
    if (target.kind !== 'name') return addresses;
    return addresses.map((one) => ({
      ...one,
      address: { ...one.address, port: target.port },
    }));
  }

  close(): void {
    this.retain([]);
    this.#questions.close();
  }

  #watched(target: Target): Watched {
    const key = keyOf(target);
    const watched = this.#watches.get(key);
    if (watched !== undefined) return watched;
    const { onChange, onLookup, onProblem, timing = usualTiming } = this.#deps;
    const name = nameOf(target);
    const texts = (addresses: readonly TargetAddress[] = []) => textsOf(target, addresses);
    const watch: Watch<readonly TargetAddress[]> = new Watch(
      {
        lookup: lookupOf(target, this.#questions),
        onChange: (previous) => onChange(name, difference(texts(previous), texts(watch.value))),
        onLookup: (problem) => {
          if (target.kind !== 'address') onLookup(name, problem);
        },
        onProblem: (problem, isPartial) =>
          onProblem(name, { problem, isPartial, addresses: texts(watch.value) }),
      },
      timing,
    );
    const made = { name, watch };
    this.#watches.set(key, made);
    return made;
  }
}

interface Watched {
  readonly name: string;
  readonly watch: Watch<readonly TargetAddress[]>;
}

function lookupOf(target: Target, questions: Questions): Lookup {
  const provide = providers[target.kind] as Provider<Target['kind']>; // The one of this kind takes this target.
  return provide(target, { questions });
}

/** Targets with the same key stand for the same addresses, but for their port. */
function keyOf(target: Target): string {
  return `${target.kind} ${nameOf(target)}`;
}

function textsOf({ kind }: Target, addresses: readonly TargetAddress[]): readonly string[] {
  return addresses.map(({ address, writtenAs }) =>
    kind === 'name' && 'host' in address ? address.host : (writtenAs ?? formatAddress(address)),
  );
}

function difference(before: readonly string[], after: readonly string[]): NameChange {
  return {
    added: after.filter((address) => !before.includes(address)),
    removed: before.filter((address) => !after.includes(address)),
  };
}

/** The pools that have a backend by this name. */
export function poolsWith(name: string, pools: Config['pools']): readonly string[] {
  return pools
    .filter(({ backends }) => backends.some(({ target }) => nameOf(target) === name))
    .map((pool) => pool.name);
}

/** The names that a pool's backends go by, each once. */
export function namesIn({ backends }: Config['pools'][number]): readonly string[] {
  return [...new Set(backends.flatMap(({ target }) => (target.kind === 'address' ? [] : [target.name])))];
}

function nameOf(target: Target): string {
  return target.kind === 'address' ? formatAddress(target.address) : target.name;
}
