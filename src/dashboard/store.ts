/** All that the page knows, and how it learns it. Views read it; a change is drawn before the next frame. */
import { json, type Refusal, token } from './api.ts';
import type { Backend, Caller, Counted, Override, Pool, ProxyEvent, Series, Status } from './model.ts';
import { listen, type StreamEvent } from './stream.ts';

export interface Seen {
  readonly ms: number;
  readonly status: Status;
}

export type Configuration = Readonly<Record<string, unknown>> & {
  readonly listeners: Readonly<Record<string, ConfiguredListener>>;
};
export interface ConfiguredListener {
  readonly pool?: string;
  readonly routes: readonly { readonly pool?: string; readonly split?: Readonly<Record<string, number>> }[];
}

export const store = {
  link: 'opening' as 'opening' | 'live' | 'lost' | 'denied',
  /** What the proxy said where it gave none, and since when there is none. */
  problem: '',
  lostMs: 0,
  /** The last few snapshots, oldest first: rates are those between the first and the last. */
  seen: [] as Seen[],
  caller: undefined as Caller | undefined,
  overrides: [] as readonly Override[],
  configuration: undefined as Configuration | undefined,
  /** Newest first. */
  events: [] as ProxyEvent[],
  /** By `listener NAME`, `pool NAME` or `backend ADDRESS` of the pool that is looked at. */
  series: new Map<string, Series>(),
  /** What screen readers are to say. */
  announcement: '',
};

const mostSeen = 6;
const mostEvents = 500;
const mostPoints = 180;

let redraw = (): void => {};
let isDue = false;

export function whenChanged(draw: () => void): void {
  redraw = draw;
}

export function changed(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    redraw();
  });
}

export function mayOperate(): boolean {
  return store.link === 'live' && store.caller?.may === 'operate';
}

export function status(): Status | undefined {
  return store.seen.at(-1)?.status;
}

/** A second's, over the last few; NaN while there is only one. */
export interface Rates {
  readonly connections: number;
  readonly toBackend: number;
  readonly toClient: number;
}

export function ratesOf(pick: (status: Status) => Counted | undefined): Rates {
  return {
    connections: rateOf((seen) => pick(seen)?.total),
    toBackend: rateOf((seen) => pick(seen)?.bytesToBackend),
    toClient: rateOf((seen) => pick(seen)?.bytesToClient),
  };
}

export function rateOf(pick: (status: Status) => number | undefined): number {
  const [first, last] = [store.seen[0], store.seen.at(-1)];
  if (first === undefined || last === undefined || first === last) return Number.NaN;
  const [before, now] = [pick(first.status), pick(last.status)];
  if (before === undefined || now === undefined) return Number.NaN;
  return Math.max(0, now - before) / ((last.ms - first.ms) / 1_000);
}

/** The backends by address, made once for each snapshot: a pool may have thousands. */
const indexes = new WeakMap<Pool, ReadonlyMap<string, Backend>>();

export function backendIn(pool: Pool | undefined, address: string): Backend | undefined {
  if (pool === undefined) return undefined;
  const index = indexes.get(pool) ?? new Map(pool.backends.map((one) => [one.address, one]));
  indexes.set(pool, index);
  return index.get(address);
}

let stop: (() => void) | undefined;

/** Follows the proxy from now on, with the token that there is; not while nobody looks. */
export function follow(): void {
  stop?.();
  stop = undefined;
  if (document.hidden) return;
  if (store.link !== 'lost') store.link = 'opening';
  stop = listen('events?snapshot=1s&recent=200', { event: onEvent, opened, lost });
  changed();
}

export function signIn(secret: string): void {
  token.set(secret);
  follow();
}

export function signOut(): void {
  token.forget();
  Object.assign(store, { seen: [], events: [], overrides: [], caller: undefined, configuration: undefined });
  follow();
}

function opened(): void {
  store.seen = [];
  // It may be another process, which counts points from the beginning.
  looked = undefined;
  void load();
}

function lost(why: Refusal): void {
  if (why.status === 401) store.link = 'denied';
  else {
    if (store.link !== 'lost') store.lostMs = Date.now();
    store.link = 'lost';
  }
  store.problem = why.status === 0 ? '' : ` ${why.message}.`;
  changed();
}

/** What does not come by itself. */
async function load(): Promise<void> {
  // A failure shows as the loss of the stream.
  await Promise.all([
    json<Caller>('whoami').then((caller) => Object.assign(store, { caller })),
    loadOverrides(),
    json<{ configuration: Configuration }>('configuration').then(({ configuration }) =>
      Object.assign(store, { configuration }),
    ),
    loadHistory(),
  ]).catch(() => {});
  changed();
}

export async function loadOverrides(): Promise<void> {
  const { overrides } = await json<{ overrides: readonly Override[] }>('overrides');
  store.overrides = overrides;
  changed();
}

function onEvent({ id, kind, data }: StreamEvent): void {
  const value: unknown = JSON.parse(data);
  if (kind === 'snapshot') {
    store.seen = [...store.seen, { ms: performance.now(), status: value as Status }].slice(-mostSeen);
    store.link = 'live';
  } else if (kind !== 'gap') {
    const event = { ...(value as ProxyEvent), id, kind };
    if (store.events.some((one) => one.id === id)) return;
    store.events = [event, ...store.events].slice(0, mostEvents);
    // Past events are not announced.
    if (store.link === 'live') onNewEvent(event);
  }
  changed();
}

let words = (_: ProxyEvent): string => '';

/** Sets how an event is described to screen readers. */
export function describeEventsWith(text: typeof words): void {
  words = text;
}

function onNewEvent(event: ProxyEvent): void {
  if (event.kind !== 'operator') store.announcement = words(event);
  if (event.kind === 'reload') void load();
  else if (event.kind === 'state' || event.kind === 'operator') void loadOverrides().catch(() => {});
}

interface History {
  readonly everyMs: number;
  readonly next: number;
  readonly listeners?: Readonly<Record<string, Series>>;
  readonly pools?: Readonly<Record<string, Series>>;
  readonly backends?: Readonly<Record<string, Series>>;
}

let looked: { readonly query: string; readonly next: number } | undefined;
let wanted = '';

/** The history that the view shows: of the backends of a pool, or of listeners and pools. */
export function showHistory(pool: string | undefined): void {
  const query = pool === undefined ? '' : `pool=${encodeURIComponent(pool)}&`;
  if (query === wanted) return;
  wanted = query;
  void loadHistory().catch(() => {});
}

async function loadHistory(): Promise<void> {
  const query = wanted;
  const known = looked?.query === query ? looked.next : 0;
  const found = await json<History>(`history?${query}from=${known}`);
  if (query !== wanted) return;
  const before = known === 0 ? new Map<string, Series>() : store.series;
  const groups = { listener: found.listeners, pool: found.pools, backend: found.backends };
  store.series = new Map(
    Object.entries(groups).flatMap(([kind, all = {}]) =>
      Object.entries(all).map(([name, series]) => {
        const key = `${kind} ${name}`;
        return [key, joined(before.get(key), series)] as const;
      }),
    ),
  );
  looked = { query, next: found.next };
  changed();
}

function joined(before: Series | undefined, more: Series): Series {
  const join = (field: keyof Series): readonly number[] =>
    [...(before?.[field] ?? []), ...more[field]].slice(-mostPoints);
  return {
    active: join('active'),
    connections: join('connections'),
    failures: join('failures'),
    bytes: join('bytes'),
  };
}

setInterval(() => {
  if (store.link === 'live') void loadHistory().catch(() => {});
}, 5_000);
document.addEventListener('visibilitychange', follow);
