/** Changes a backend of a running proxy, and says how it is then. */

import type { Layers } from '../../control/administered.ts';
import type { BackendFields } from '../../control/overrides.ts';
import { countOf } from '../config-file.ts';
import { type AdminClient, apiPath } from './admin-client.ts';
import { type ProxyArguments, print, printJson } from './proxy-options.ts';
import type { BackendStatus, OverrideView } from './status-text.ts';

/** A backend as the API answers it. */
export type BackendAnswer = BackendStatus & {
  readonly pool: string;
  readonly addresses: readonly string[];
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
  return (await client.ask<BackendAnswer>(path, { method: 'PATCH', body: change })).body;
}

/**
 * Undoes what an operator wants of it. What is wanted of one address alone wins over what is of its name, and is undone
 * too; where it is of a name that also stands for others, the address that was named is made ready by itself.
 */
export async function madeReady(
  client: AdminClient,
  pool: string,
  backend: string,
  mark: Pick<BackendChange, 'for' | 'reason'>,
): Promise<readonly BackendAnswer[]> {
  const steps = mark.for === undefined ? ([null, 'ready'] as const) : (['ready'] as const);
  const answer = await changeBackend(client, pool, backend, { state: steps[0], ...mark });
  for (const state of steps) {
    for (const { address, layers } of await backendsOf(client, answer))
      if (layers.operator !== 'ready') await changeBackend(client, pool, address, { state, ...mark });
  }
  return backendsOf(client, answer);
}

/** Each that was meant: one of the configuration may stand for several, as a name for all of its addresses. */
export function backendsOf(
  client: AdminClient,
  { pool, addresses }: Pick<BackendAnswer, 'pool' | 'addresses'>,
): Promise<readonly BackendAnswer[]> {
  return Promise.all(
    addresses.map(
      async (address) => (await client.ask<BackendAnswer>(apiPath('pools', pool, 'backends', address))).body,
    ),
  );
}

/** Prints them, which are one at least. */
export function printBackends(backends: readonly BackendAnswer[], { json }: ProxyArguments): void {
  if (!json) print(backends.map(backendText));
  else printJson(backends.length === 1 ? backends[0] : backends);
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
