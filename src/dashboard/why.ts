/** Says in a sentence whether a backend takes clients, and if not, why not and what to do. */
import { ago, counted, inTime } from './format.ts';
import type { Backend, Hold, Override, Pool } from './model.ts';

export type Level = 'good' | 'idle' | 'warn' | 'bad';

export interface Verdict {
  readonly level: Level;
  /** A word or two. */
  readonly word: string;
  readonly why: string;
  /** What ends it. */
  readonly remedy?: string;
  readonly since: string;
}

export function takesClients({ unavailable }: Backend, { hold }: Pool): boolean {
  return unavailable === null && hold?.phase !== 'held';
}

/** How many backends do. */
export function takingIn(pool: Pool): number {
  return pool.backends.filter((one) => takesClients(one, pool)).length;
}

export function verdictOf(
  backend: Backend,
  { hold }: Pool,
  overrides: readonly Override[],
  isStandby: boolean,
): Verdict {
  const { stateSince, healthSince, circuitSince, lastCheck, lastError, nextTrial } = backend;
  switch (backend.unavailable) {
    case null:
      return hold?.phase === 'held'
        ? { level: 'warn', word: 'Held', since: hold.since, ...heldBy(hold) }
        : taking(backend, isStandby);
    case 'maint':
      return { level: 'warn', word: 'Maintenance', since: stateSince, ...wantedBy(backend, overrides) };
    case 'drained':
      return {
        level: 'warn',
        word: backend.active > 0 ? 'Draining' : 'Drained',
        since: stateSince,
        ...wantedBy(backend, overrides),
      };
    case 'down': {
      const check = lastCheck;
      return {
        level: 'bad',
        word: 'Down',
        why:
          check === null || check.pass
            ? 'It must pass its health check before it takes clients.'
            : `Its health check fails: ${sentence(check.detail)} Last tried ${ago(check.at)}.`,
        remedy: 'It takes clients again by itself once the check passes.',
        since: healthSince,
      };
    }
    case 'circuit-open': {
      const error = lastError === null ? '' : `: ${sentence(lastError.error)}`;
      const trial =
        nextTrial === null ? 'the next client tries it' : `it is tried again ${inTime(nextTrial)}`;
      return {
        level: 'bad',
        word: backend.circuit === 'half-open' ? 'On trial' : 'Breaker open',
        why: `Connecting to it failed several times in a row${error || '.'}`,
        remedy: `Its circuit breaker keeps clients away; ${trial}.`,
        since: circuitSince,
      };
    }
    case 'full':
      return {
        level: 'warn',
        word: 'Full',
        why: `All ${counted(Number(backend.limit), 'connection')} that it may have are taken.`,
        remedy: 'It takes the next client once one leaves, or with a higher limit.',
        since: stateSince,
      };
    case 'ejected':
      return {
        level: 'bad',
        word: 'Ejected',
        why: 'Its sessions fared worse than those of the others.',
        remedy: 'It comes back by itself after a while; closing its breaker lifts it at once.',
        since: stateSince,
      };
    default:
      return { level: 'bad', word: 'Unavailable', why: backend.unavailable ?? '', since: stateSince };
  }
}

function heldBy({ by, reason, then, until }: Hold): Pick<Verdict, 'why' | 'remedy'> {
  const why = `The pool is held by ${by}${reason === null ? '' : `: “${reason}”`}. New clients wait.`;
  const end =
    until === null
      ? ''
      : `They ${then === 'resume' ? 'go on' : 'are refused'} ${inTime(until)} at the latest.`;
  return { why, remedy: end };
}

function taking(backend: Backend, isStandby: boolean): Verdict {
  const { effectiveWeight, weight, stateSince, healthSince, lastCheck, health } = backend;
  const since = stateSince > healthSince ? stateSince : healthSince;
  if (isStandby) {
    const why = 'A backup: it takes clients only while no other backend does.';
    return { level: 'idle', word: 'Standby', why, since };
  }
  if (health === 'down') {
    const why =
      'Its health check fails, but too many others fail too, so health is ignored (panicThreshold).';
    return { level: 'warn', word: 'In use', why, since: healthSince };
  }
  if (effectiveWeight < weight) {
    const share = Math.round((effectiveWeight / weight) * 100);
    return { level: 'good', word: 'Ramping up', why: `Slow start: at ${share} % of its weight.`, since };
  }
  const checked =
    lastCheck === null ? '' : `Checked ${ago(lastCheck.at)}: ${lastCheck.detail.toLowerCase()}.`;
  return { level: 'good', word: 'Ready', why: checked, since };
}

function wantedBy(
  { layers, active, agent }: Backend,
  overrides: readonly Override[],
): { readonly why: string; readonly remedy: string } {
  const held = active > 0 ? `${counted(active, 'open connection')} may go on until they end. ` : '';
  const { by, reason, until } = overrides.find(({ field }) => field === 'state') ?? {};
  if (by !== undefined && layers?.operator !== 'ready') {
    const why = `Taken out by ${by}${reason ? `: “${reason}”` : ''}.`;
    const end = until ? `It is back ${inTime(until)}.` : '“Ready” brings it back.';
    return { why, remedy: held + end };
  }
  if (layers?.source !== 'ready' && layers !== null) {
    const why = agent?.answer
      ? `Its agent says “${agent.answer}”.`
      : 'The backend itself, or its directory, asks for it.';
    return { why, remedy: `${held}It is back once that says so; nobody else can lift it.` };
  }
  return { why: 'The configuration gives it the weight 0.', remedy: `${held}A weight brings it back.` };
}

/** Adds what an error's name means, and a full stop. */
export function sentence(text: string): string {
  const meaning = meanings[/\bE[A-Z]{4,}\b/.exec(text)?.[0] ?? ''];
  const known = meaning === undefined ? text : `${text}, ${meaning}`;
  return /[.!?]$/.test(known) ? known : `${known}.`;
}

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'no way leads to the host',
  ENETUNREACH: 'no way leads to its network',
  ECONNRESET: 'it broke the connection off',
  ENOENT: 'there is no such socket',
  EACCES: 'this process may not connect to it',
};

/** Whether a backup has nothing to do: a primary takes clients. */
export function standbyIn(backends: readonly Backend[]): boolean {
  return backends.some(({ backup, unavailable }) => !backup && unavailable === null);
}
