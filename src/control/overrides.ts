/**
 * What operators have changed of backends while the proxy runs, beside the configuration. Immutable and pure: each
 * change gives other overrides. A changed configuration wins: an override remembers the value that it replaced, and is
 * dropped once the configuration says something else. They are matched by names, never by position.
 */
import type { AdminState } from '../core/admin-state.ts';

/** What can be changed of a backend. */
export interface BackendFields {
  readonly state: AdminState;
  /** From 0 to 1,000,000, or a share of the configured one: `50%`. */
  readonly weight: number | `${number}%`;
  readonly maxConnections: number | 'unlimited';
}
export type BackendField = keyof BackendFields;

export interface BackendName {
  readonly pool: string;
  /** As status shows it, or as the configuration writes it: then it stands for each address of the name. */
  readonly backend: string;
}

export type Override<Field extends BackendField = BackendField> = BackendName & {
  readonly field: Field;
  readonly value: BackendFields[Field];
  /** What it replaced. */
  readonly configured: BackendFields[Field];
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly untilMs: number | undefined;
  /** The name of the token with which it was made, or where the request came from. */
  readonly by: string;
  readonly reason: string | undefined;
  /** Since when the configuration does not have the backend. */
  readonly goneSinceMs?: number;
};

/** What holds for one backend. */
export type OverridesOfBackend = { readonly [Field in BackendField]?: Override<Field> };

/** By whom something is changed, when, until when and why. */
export type Mark = Pick<Override, 'sinceMs' | 'untilMs' | 'by' | 'reason'>;

/** A field that is absent stays as it is; null goes back to the configuration. */
export type BackendPatch = { readonly [Field in BackendField]?: BackendFields[Field] | null };

/** How long overrides of a backend are kept that the configuration has lost: a rollout may bring it back. */
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

  patched(name: BackendName, patch: BackendPatch, configured: BackendFields, mark: Mark): Overrides {
    const given = Object.entries(patch) as [BackendField, BackendFields[BackendField] | null | undefined][];
    const changed = given.filter(([, value]) => value !== undefined);
    const fields = new Set(changed.map(([field]) => field));
    const others = this.list.filter((one) => keyOf(one) !== keyOf(name) || !fields.has(one.field));
    const added = changed.flatMap(([field, value]) =>
      value === null || value === undefined
        ? []
        : [{ pool: name.pool, backend: name.backend, field, value, configured: configured[field], ...mark }],
    );
    return new Overrides([...others, ...added]);
  }

  /** Without those of one backend, or without any. */
  without(name?: BackendName): Overrides {
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

  /** Those that hold beside this configuration; `configuredOf` is undefined for a backend that it does not have. */
  following(configuredOf: (name: BackendName) => BackendFields | undefined, nowMs: number): Following {
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

function keyOf({ pool, backend }: BackendName): string {
  return `${pool} ${backend}`;
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
