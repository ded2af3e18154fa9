import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configuredFields, effective, statesOf } from '../../src/control/layers.ts';
import { type BackendFields, type BackendPatch, Overrides } from '../../src/control/overrides.ts';
import { strictest } from '../../src/core/admin-state.ts';

const name = { pool: 'app', backend: '10.0.0.1:9000' };
const configured = configuredFields({ weight: 4, maxConnections: Number.POSITIVE_INFINITY });
const mark = { sinceMs: 1_000, untilMs: undefined, by: 'ci', reason: 'deploy' };

describe('Overrides', () => {
  it('remember what they replaced, who made them and why', () => {
    const { list } = Overrides.none.patched(name, { state: 'drain', weight: '50%' }, configured, mark);
    expect(list).toEqual([
      { ...name, field: 'state', value: 'drain', configured: 'ready', ...mark },
      { ...name, field: 'weight', value: '50%', configured: 4, ...mark },
    ]);
  });

  it('stay where a patch says nothing, and go where it says null', () => {
    const made = Overrides.none.patched(name, { state: 'maint', weight: 1 }, configured, mark);
    expect(fieldsOf(made.patched(name, { maxConnections: 5 }, configured, mark))).toEqual({
      state: 'maint',
      weight: 1,
      maxConnections: 5,
    });
    expect(fieldsOf(made.patched(name, { state: null }, configured, mark))).toEqual({ weight: 1 });
    expect(made.without(name).list).toEqual([]);
    expect(made.without({ ...name, pool: 'other' }).list).toEqual(made.list);
  });

  it('end when their time is over, each by itself', () => {
    const short = Overrides.none.patched(name, { weight: 1 }, configured, { ...mark, untilMs: 5_000 });
    const both = short.patched(name, { state: 'drain' }, configured, { ...mark, untilMs: 9_000 });
    expect(both.nextEndMs).toBe(5_000);
    expect(both.expired(4_999).dropped).toEqual([]);
    const { overrides, dropped } = both.expired(5_000);
    expect(dropped.map(({ field }) => field)).toEqual(['weight']);
    expect(fieldsOf(overrides)).toEqual({ state: 'drain' });
    expect(overrides.expired(9_000).overrides.nextEndMs).toBeUndefined();
  });

  it('give way to a configuration that changes what they replaced, and to nothing else in it', () => {
    const made = Overrides.none.patched(name, { state: 'drain', weight: 1 }, configured, mark);
    const same = made.following(() => ({ ...configured, maxConnections: 7 }), 2_000);
    expect(fieldsOf(same.overrides)).toEqual({ state: 'drain', weight: 1 });
    const heavier = made.following(() => ({ ...configured, weight: 5 }), 2_000);
    expect(heavier.dropped.map(({ field }) => field)).toEqual(['weight']);
    expect(fieldsOf(heavier.overrides)).toEqual({ state: 'drain' });
  });

  it('are gone where the configuration has changed, whatever operators did before', () => {
    const patches = fc.array(
      fc.record(
        {
          state: fc.constantFrom('ready' as const, 'drain' as const, 'maint' as const, null),
          weight: fc.constantFrom(0, 7, '50%' as const, null),
          maxConnections: fc.constantFrom(1, 'unlimited' as const, null),
        },
        { requiredKeys: [] },
      ),
    );
    const configuration = fc.record({
      weight: fc.integer({ min: 0, max: 5 }),
      maxConnections: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(configuration, patches, configuration, (before, made, after) => {
        const old = configuredFields(before);
        const now = configuredFields(after);
        const all = made.reduce((so, patch) => so.patched(name, patch, old, mark), Overrides.none);
        const { overrides, dropped } = all.following(() => now, 2_000);
        for (const { field } of overrides.list)
          expect(Reflect.get(old, field)).toEqual(Reflect.get(now, field));
        for (const { field } of dropped) expect(Reflect.get(old, field)).not.toEqual(Reflect.get(now, field));
        expect(overrides.list.length + dropped.length).toBe(all.list.length);
      }),
    );
  });

  it('outlive for a day that the configuration does not have the backend', () => {
    const hour = 3_600_000;
    const made = Overrides.none.patched(name, { state: 'drain' }, configured, mark);
    const gone = made.following(() => undefined, 0).overrides;
    const still = gone.following(() => undefined, 23 * hour).overrides;
    expect(fieldsOf(still)).toEqual({ state: 'drain' });
    expect(still.following(() => undefined, 24 * hour).overrides.list).toEqual([]);
    const back = still.following(() => configured, 23 * hour).overrides;
    expect(fieldsOf(back.following(() => undefined, 30 * hour).overrides)).toEqual({ state: 'drain' });
  });

  it("of a name hold for each of its addresses, and an address's own before them", () => {
    const ofName = Overrides.none.patched(
      { pool: 'app', backend: 'db:5432' },
      { weight: 2, state: 'drain' },
      configured,
      mark,
    );
    const both = ofName.patched({ pool: 'app', backend: '10.0.0.1:5432' }, { weight: 3 }, configured, mark);
    const of = (address: string) => {
      const { state, weight } = both.of('app', [address, 'db:5432']);
      return [state?.value, weight?.value];
    };
    expect(of('10.0.0.1:5432')).toEqual(['drain', 3]);
    expect(of('10.0.0.2:5432')).toEqual(['drain', 2]);
    expect(both.of('other', ['10.0.0.1:5432'])).toEqual({});
  });

  it('come out the same in whatever order different fields are patched', () => {
    const value: fc.Arbitrary<BackendPatch> = fc.record(
      {
        state: fc.constantFrom('ready' as const, 'drain' as const, 'maint' as const, null),
        weight: fc.constantFrom(0, 7, '50%' as const, null),
        maxConnections: fc.constantFrom(1, 'unlimited' as const, null),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(value, (patch) => {
        const parts = Object.entries(patch).map(([field, one]) => ({ [field]: one }) as BackendPatch);
        const inOrder = (all: readonly BackendPatch[]) =>
          fieldsOf(all.reduce((made, one) => made.patched(name, one, configured, mark), Overrides.none));
        expect(inOrder(parts)).toEqual(inOrder([patch]));
        expect(inOrder(parts.toReversed())).toEqual(inOrder([patch]));
      }),
    );
  });
});

describe('Layers', () => {
  const overridden = (patch: BackendPatch, weight = 4) => {
    const plan = { weight, maxConnections: 100 };
    const overrides = Overrides.none
      .patched(name, patch, configuredFields(plan), mark)
      .of('app', [name.backend]);
    return { plan, overrides };
  };

  it('let the strictest state win, and none lift another', () => {
    const states = ['ready', 'drain', 'maint'] as const;
    for (const operator of states) {
      for (const source of states) {
        for (const weight of [0, 1]) {
          const { plan, overrides } = overridden({ state: operator }, weight);
          const { state } = effective(plan, overrides, { state: source });
          expect(state).toBe(strictest([weight === 0 ? 'drain' : 'ready', operator, source]));
        }
      }
    }
    expect(strictest(['ready', 'maint', 'drain'])).toBe('maint');
    const { plan, overrides } = overridden({ state: 'ready' });
    expect(statesOf(plan, overrides, { state: 'maint' })).toEqual({
      configuration: 'ready',
      operator: 'ready',
      source: 'maint',
    });
  });

  it.each([
    [1, '50%', 0.5],
    [1, '1%', 0.01],
    [1, '0.001%', 0.001],
    [1, '0%', 0],
    [3, '33.3%', 0.999],
    [200, '150%', 300],
    [7, 2, 2],
    [7, 0, 0],
  ] as const)('of weight %i and an override of %s make %d', (weight, override, expected) => {
    const { plan, overrides } = overridden({ weight: override as BackendFields['weight'] }, weight);
    expect(effective(plan, overrides).weight).toBe(expected);
  });

  it("take the operator's weight and limit before the source's, and these before the configured", () => {
    const source = { weight: '10%', maxConnections: 30 } as const;
    const { plan, overrides } = overridden({ weight: 9, maxConnections: 'unlimited' });
    expect(effective(plan, overrides, source)).toMatchObject({ weight: 9, maxConnections: Infinity });
    expect(effective(plan, {}, source)).toMatchObject({ weight: 0.4, maxConnections: 30 });
    expect(effective(plan, {})).toEqual({ state: 'ready', weight: 4, maxConnections: 100 });
  });
});

function fieldsOf({ list }: Overrides) {
  return Object.fromEntries(list.map(({ field, value }) => [field, value]));
}
