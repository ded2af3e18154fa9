/** Waits until something is true of a backend or a pool of a running proxy. */
import { countOf } from '../config-file.ts';
import { type AdminClient, apiPath, RefusedError } from './admin-client.ts';

export interface WaitCondition {
  readonly pool: string;
  readonly backend: string;
  readonly until: 'idle' | 'up';
  /** Any other state of the backend ends the wait without success. */
  readonly whileIn: readonly string[];
  /** Infinity is as long as it takes. */
  readonly timeoutMs: number;
}

/** The proxy is asked again after so long, which shows whether waiting still makes sense. */
const sliceMs = 5_000;

/** Rejects with a RefusedError where it is not true in time, or can't be any more. */
export async function waitUntil(
  client: AdminClient,
  { pool, backend, until, whileIn, timeoutMs }: WaitCondition,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = Math.max(1, Math.min(sliceMs, Math.round(endMs - performance.now())));
    const query = { pool, backend, until, timeout: `${leftMs}ms` };
    const answer = await client.ask<Seen>(apiPath('wait'), { query, timeoutMs: leftMs + slackMs }, [408]);
    if (answer.status === 200) return;
    const { address, state, active, unavailable } = answer.body;
    const now = until === 'idle' ? `it has ${countOf(active, 'session')}` : `it takes none: ${unavailable}`;
    if (!whileIn.includes(state))
      throw new RefusedError(`${address} is in state ${state} again, and ${now}`, answer);
    if (performance.now() >= endMs)
      throw new RefusedError(`The time is over, and ${address} is not ${until}: ${now}`, answer);
  }
}

interface Seen {
  readonly address: string;
  readonly state: string;
  readonly active: number;
  readonly unavailable: string | null;
}

/** For the answer to come. */
const slackMs = 30_000;

/**
 * Waits until a pool that is held has no session left. Rejects with a RefusedError where it has after so long, or was
 * resumed before.
 */
export async function waitUntilIdle(client: AdminClient, pool: string, timeoutMs: number): Promise<void> {
  const query = { pool, until: 'idle', timeout: `${timeoutMs}ms` };
  const answer = await client.ask<Pick<Seen, 'active'>>(
    apiPath('wait'),
    { query, timeoutMs: timeoutMs + slackMs },
    [408],
  );
  if (answer.status === 200) return;
  const left = countOf(answer.body.active, 'session');
  throw new RefusedError(`The time is over, and ${pool} is not idle: it has ${left}`, answer);
}
