/**
 * What operators have changed while the proxy runs, beside the configuration. Immutable and pure: each change gives
 * other overrides. A changed configuration wins: an override remembers the value that it replaced, and is dropped once
 * the configuration says something else. They are matched by names, never by position.
 */
import type { Accept, AdminState } from '../core/admin-state.ts';

/** What can be changed of a backend. */
export interface BackendFields {
  readonly state: AdminState;
  /** From 0 to 1,000,000, or a share of the configured one: `50%`. */
  readonly weight: number | `${number}%`;
  readonly maxConnections: number | 'unlimited';
}
export type BackendField = keyof BackendFields;

/** What can be changed of a pool. */
export interface PoolFields {
  readonly hold: Hold | 'off';
}

/** Clients of the pool wait until it is over, which it always is in the end. */
export interface Hold {
  /** What becomes of those who wait once its time is over. */
  readonly then: 'resume' | 'refuse';
  /** What became of the sessions that the pool had. */
  readonly sessions: 'keep' | 'drain' | 'close';
  /** How long each may wait. */
  readonly timeoutMs: number;
}

/** What can be changed of a listener. */
export interface ListenerFields {
  readonly accept: Accept;
}

export interface BackendName {
  readonly pool: string;
  /** As status shows it, or as the configuration writes it: then it stands for each address of the name. */
  readonly backend: string;
}

export interface PoolName {
  readonly pool: string;
}

export interface ListenerName {
  readonly listener: string;
}

/** The author of a change, its time, when it ends, and its reason. */
export interface Mark {
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly untilMs: number | undefined;
  /** The name of the token with which it was made, or where the request came from. */
  readonly by: string;
  readonly reason: string | undefined;
}

interface OverrideOf<Fields, Field extends keyof Fields> extends Mark {
  readonly field: Field;
  readonly value: Fields[Field];
  /** The configured value that it replaced. */
  readonly configured: Fields[Field];
  /** Since when the configuration lacks its listener, pool or backend. */
  readonly goneSinceMs?: number;
}
type AnyOverrideOf<Fields> = { [Field in keyof Fields]: OverrideOf<Fields, Field> }[keyof Fields];

export type BackendOverride = BackendName & { readonly listener?: never } & AnyOverrideOf<BackendFields>;
export type PoolOverride = PoolName &
  Readonly<Partial<Record<'backend' | 'listener', never>>> &
  AnyOverrideOf<PoolFields>;
export type ListenerOverride = ListenerName &
  Readonly<Partial<Record<'pool' | 'backend', never>>> &
  AnyOverrideOf<ListenerFields>;
export type Override = BackendOverride | PoolOverride | ListenerOverride;

/** What holds for one backend. */
export type OverridesOfBackend = {
  readonly [Field in BackendField]?: BackendName & OverrideOf<BackendFields, Field>;
};

/** A field that is absent stays as it is; null goes back to the configuration. */
export type PatchOf<Fields> = { readonly [Field in keyof Fields]?: Fields[Field] | null };
export type BackendPatch = PatchOf<BackendFields>;

/** What an override is of, and all that can be changed of it. */
export type Name = BackendName | PoolName | ListenerName;
type AllFields = BackendFields & PoolFields & ListenerFields;

/** How long an override of something that the configuration lacks is kept: a rollout may bring it back. */
const goneForMs = 24 * 60 * 60 * 1_000;

export class Overrides {
  // Not a field: TypeScript 7 compiles one that makes its own class to code that fails where the module is loaded.
  static get none(): Overrides {
    return new Overrides([]);
  }

  readonly list: readonly Override[];
  readonly #byName: ReadonlyMap<string, readonly Override[]>;

  constructor(list: readonly Override[]) {
    this.list = list;
    this.#byName = grouped(list);
  }

  /** Those of one backend, by whichever of its names; its own before those of the name that it stands for. */
  of(pool: string, names: readonly string[]): OverridesOfBackend {
    const all = names.toReversed().flatMap((backend) => this.#byName.get(keyOf({ pool, backend })) ?? []);
    // Each stands under its own field.
    return Object.fromEntries(all.map((one) => [one.field, one])) as OverridesOfBackend;
  }

  ofPool(pool: string): PoolOverride | undefined {
    // By the name of a pool alone, only overrides of a pool are kept.
    return this.#byName.get(keyOf({ pool }))?.[0] as PoolOverride | undefined;
  }

  ofListener(listener: string): ListenerOverride | undefined {
    // As above.
    return this.#byName.get(keyOf({ listener }))?.[0] as ListenerOverride | undefined;
  }

  patched(name: BackendName, patch: BackendPatch, configured: BackendFields, mark: Mark): Overrides;
  patched(name: PoolName, patch: PatchOf<PoolFields>, configured: PoolFields, mark: Mark): Overrides;
  patched(
    name: ListenerName,
    patch: PatchOf<ListenerFields>,
    configured: ListenerFields,
    mark: Mark,
  ): Overrides;
  patched(name: Name, patch: PatchOf<AllFields>, configured: Partial<AllFields>, mark: Mark): Overrides {
    const given = Object.entries(patch) as [keyof AllFields, unknown][];
    const changed = given.filter(([, value]) => value !== undefined);
    const fields = new Set(changed.map(([field]) => field));
    const others = this.list.filter((one) => keyOf(one) !== keyOf(name) || !fields.has(one.field));
    const added = changed
      .filter(([, value]) => value !== null)
      .map(([field, value]) => ({ ...name, field, value, configured: configured[field], ...mark }));
    // Each field has a value of its own, as the overloads say.
    return new Overrides([...others, ...(added as unknown as readonly Override[])]);
  }

  /** Without those of one backend or pool, or without any. */
  without(name?: Name): Overrides {
    return name === undefined
      ? Overrides.none
      : new Overrides(this.list.filter((one) => keyOf(one) !== keyOf(name)));
  }

  /** When the first of them ends by itself; undefined where none does. */
  get nextEndMs(): number | undefined {
    const ends = this.list.flatMap(({ untilMs }) => (untilMs === undefined ? [] : [untilMs]));
    return ends.length === 0 ? undefined : ends.reduce((first, one) => Math.min(first, one));
  }

  expired(nowMs: number): Following {
    return this.#keeping(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
  }

  /** Those that hold beside this configuration; `configuredOf` is undefined for what it does not have. */
  following(configuredOf: (name: Name) => Partial<AllFields> | undefined, nowMs: number): Following {
    const marked = this.list.map(({ goneSinceMs, ...one }): Override => {
      const isGone = configuredOf(one) === undefined;
      return isGone ? { ...one, goneSinceMs: goneSinceMs ?? nowMs } : one;
    });
    return new Overrides(marked).#keeping((one) => {
      const configured = configuredOf(one)?.[one.field];
      return configured === undefined
        ? nowMs - (one.goneSinceMs ?? nowMs) < goneForMs
        : configured === one.configured;
    });
  }

  #keeping(holds: (one: Override) => boolean): Following {
    const dropped = this.list.filter((one) => !holds(one));
    return { overrides: dropped.length === 0 ? this : new Overrides(this.list.filter(holds)), dropped };
  }
}

export interface Following {
  readonly overrides: Overrides;
  readonly dropped: readonly Override[];
}

function keyOf(name: Name): string {
  if ('listener' in name) return JSON.stringify(['listener', name.listener]);
  return JSON.stringify('backend' in name ? ['pool', name.pool, name.backend] : ['pool', name.pool]);
}

function grouped(list: readonly Override[]): ReadonlyMap<string, readonly Override[]> {
  const groups = new Map<string, Override[]>();
  for (const one of list) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}
