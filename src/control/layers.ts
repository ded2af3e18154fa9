/**
 * The three layers that say what becomes of a backend: the configuration, the operator (the admin API), and the source
 * (what the backend or a directory says of itself). The strictest state wins; of weight and limit, the operator's, then
 * the source's, then the configuration's.
 */
import { type AdminState, type Layer, strictest } from '../core/admin-state.ts';
import type { BackendPlan } from '../core/plan.ts';
import type { BackendFields, OverridesOfBackend } from './overrides.ts';

export type ConfiguredBackend = Pick<BackendPlan, 'weight' | 'maxConnections'>;

/** What a source wants; what it does not say is as configured. */
export type SourceWish = Partial<BackendFields>;

/** What the configuration says of each field, as an override remembers it. */
export function configuredFields({ weight, maxConnections }: ConfiguredBackend): BackendFields {
  return {
    state: weight === 0 ? 'drain' : 'ready',
    weight,
    maxConnections: maxConnections === Number.POSITIVE_INFINITY ? 'unlimited' : maxConnections,
  };
}

export function statesOf(
  configured: ConfiguredBackend,
  overrides: OverridesOfBackend,
  source: SourceWish = {},
): Readonly<Record<Layer, AdminState>> {
  return {
    configuration: configuredFields(configured).state,
    operator: overrides.state?.value ?? 'ready',
    source: source.state ?? 'ready',
  };
}

/** What the plan says of a backend. */
export function effective(
  configured: ConfiguredBackend,
  overrides: OverridesOfBackend,
  source: SourceWish = {},
): Pick<BackendPlan, 'state' | 'weight' | 'maxConnections'> {
  const fields = configuredFields(configured);
  const states = statesOf(configured, overrides, source);
  const weight = overrides.weight?.value ?? source.weight ?? fields.weight;
  const most = overrides.maxConnections?.value ?? source.maxConnections ?? fields.maxConnections;
  return {
    state: strictest(Object.values(states)),
    weight: weightOf(weight, configured.weight),
    maxConnections: most === 'unlimited' ? Number.POSITIVE_INFINITY : most,
  };
}

/** In thousandths, so that half of 1 is not 0; only `0%` is. */
function weightOf(weight: BackendFields['weight'], configured: number): number {
  if (typeof weight === 'number') return weight;
  const share = Number.parseFloat(weight);
  const thousandths = Math.round(configured * share * 10);
  return share > 0 && configured > 0 ? Math.max(1, thousandths) / 1_000 : 0;
}
