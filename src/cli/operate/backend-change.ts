/** Changes a backend of a running proxy, and says how it is then. */

import type { Layers } from '../../control/administration.ts';
import type { BackendFields } from '../../control/overrides.ts';
import { countOf } from '../config-file.ts';
import { type AdminClient, apiPath } from './admin-client.ts';
import type { BackendStatus, OverrideView, PoolStatus } from './status-text.ts';

/** A backend as the API answers it. */
export type BackendAnswer = BackendStatus & {
  readonly pool: string;
  readonly layers: Layers;
  readonly overrides: readonly Omit<OverrideView, 'pool' | 'backend'>[];
};

/** What is undefined stays as it is; null is as configured. */
export interface BackendChange {
  readonly state?: BackendFields['state'] | null;
  readonly weight?: BackendFields['weight'] | null;
  readonly sessions?: { readonly over: string } | undefined;
  readonly for?: string | undefined;
  readonly reason?: string | undefined;
}

/** Rejects with a RefusedError. */
export async function changeBackend(
  client: AdminClient,
  pool: string,
  backend: string,
  change: BackendChange,
) {
  const path = apiPath('pools', pool, 'backends', backend);
  // What this version of the API answers.
  return (await client.ask(path, { method: 'PATCH', body: change })).body as BackendAnswer;
}

/** Undoes what an operator wants of it; where that is of a name that also stands for others, it wins over that. */
export async function madeReady(
  client: AdminClient,
  pool: string,
  backend: string,
  mark: Pick<BackendChange, 'for' | 'reason'>,
): Promise<BackendAnswer> {
  if (mark.for === undefined) {
    const answer = await changeBackend(client, pool, backend, { state: null, ...mark });
    if (answer.layers.operator === 'ready') return answer;
  }
  return changeBackend(client, pool, backend, { state: 'ready', ...mark });
}

export async function backendAt(client: AdminClient, pool: string, address: string): Promise<BackendAnswer> {
  return (await client.ask(apiPath('pools', pool, 'backends', address))).body as BackendAnswer;
}

/** The backends that were meant: one of the configuration may stand for several, as a name for all of its addresses. */
export async function addressesOf(
  client: AdminClient,
  { pool, address }: BackendAnswer,
  written: string,
): Promise<readonly string[]> {
  if (written === address) return [address];
  const { backends } = (await client.ask(apiPath('pools', pool))).body as PoolStatus;
  const meant = backends.filter((one) => `${one.name}:${one.address.split(':').at(-1)}` === written);
  return meant.length === 0 ? [address] : meant.map((one) => one.address);
}

/** In a line: its state, and by whom, what it still has, and why it takes no sessions though it should. */
export function backendText({
  pool,
  address,
  layers,
  state,
  weight,
  active,
  unavailable,
  overrides,
}: BackendAnswer): string {
  const others = Object.entries(layers).filter(([layer, wanted]) => layer !== 'operator' && wanted === state);
  const by =
    state === 'ready' || layers.operator === state
      ? ''
      : ` by the ${others.map(([layer]) => layer).join(' and the ')}`;
  const isSaid =
    unavailable === null || unavailable === 'maint' || (unavailable === 'drained' && state === 'drain');
  return [
    `${pool} ${address}: ${state}${by}`,
    `weight ${weight}`,
    countOf(active, 'session'),
    ...(isSaid ? [] : [`takes none now: ${unavailable}`]),
    ...overrides.map(({ field, until }) => (until === null ? '' : `${field} until ${until}`)).filter(Boolean),
  ].join(', ');
}
