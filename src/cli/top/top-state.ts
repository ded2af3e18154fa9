/** What the reader of `top` has chosen, and what each key makes of it. */
import type { TopBackend, TopPool, TopView } from './top-view.ts';

export interface TopState {
  readonly page: 'backends' | 'sessions';
  readonly order: BackendOrder;
  readonly sessionOrder: SessionOrderKey;
  /** The backend that the keys are about; the first one where it is not there any more. */
  readonly chosen: ChosenBackend | undefined;
  /** What is to be answered by y or n. */
  readonly question: TopAction | undefined;
  /** What has become of the last action. */
  readonly message: string;
}

export interface ChosenBackend {
  readonly pool: string;
  readonly address: string;
}

/** Something to be done to a backend. */
export interface TopAction extends ChosenBackend {
  readonly what: 'drain' | 'ready';
}

export interface AfterKey {
  readonly state: TopState;
  readonly action?: TopAction;
  readonly quits?: true;
}

export const firstState: TopState = {
  page: 'backends',
  order: 'name',
  sessionOrder: 'idle',
  chosen: undefined,
  question: undefined,
  message: '',
};

const orders = {
  name: () => 0,
  active: ({ active }) => active,
  sessions: ({ rates }) => rates.sessions,
  bytes: ({ rates }) => rates.bytesToBackend + rates.bytesToClient,
  failures: ({ rates }) => rates.failures,
} satisfies Record<string, (of: TopPool | TopBackend) => number>;
export type BackendOrder = keyof typeof orders;

export type SessionOrderKey = 'age' | 'idle' | 'bytes';

/** The keys that sort, on each page, in the order in which they are shown. */
export const orderKeys: Readonly<Record<string, BackendOrder>> = {
  n: 'name',
  a: 'active',
  c: 'sessions',
  b: 'bytes',
  f: 'failures',
};
export const sessionOrderKeys: Readonly<Record<string, SessionOrderKey>> = {
  a: 'age',
  i: 'idle',
  b: 'bytes',
};

/** The pools and, in each, its backends: as configured, or the most first. */
export function inOrder(pools: readonly TopPool[], order: BackendOrder): readonly TopPool[] {
  const measure = orders[order];
  const sorted = <Row extends TopPool | TopBackend>(rows: readonly Row[]): readonly Row[] =>
    order === 'name' ? rows : rows.toSorted((one, other) => measure(other) - measure(one));
  return sorted(pools).map((pool) => ({ ...pool, backends: sorted(pool.backends) }));
}

/** The backends in the order of the screen, and which of them is chosen. */
export function choice(view: TopView, { order, chosen }: TopState) {
  const backends = inOrder(view.pools, order).flatMap((pool) => pool.backends);
  const index = backends.findIndex((one) => one.pool === chosen?.pool && one.address === chosen.address);
  return { backends, index: Math.max(0, index), backend: backends[Math.max(0, index)] };
}

/** `key` is what a terminal sends for it. */
export function afterKey(state: TopState, key: string, view: TopView | undefined): AfterKey {
  if (key === '\x03' || (key === 'q' && state.question === undefined)) return { state, quits: true };
  if (state.question !== undefined) {
    const asked = { ...state, question: undefined };
    return key === 'y'
      ? { state: asked, action: state.question }
      : { state: { ...asked, message: 'nothing done' } };
  }
  const quiet = { ...state, message: '' };
  if (view === undefined) return { state: quiet };
  return { state: state.page === 'backends' ? onBackends(quiet, key, view) : onSessions(quiet, key) };
}

function onBackends(state: TopState, key: string, view: TopView): TopState {
  const order = Object.hasOwn(orderKeys, key) ? orderKeys[key] : undefined;
  if (order !== undefined) return { ...state, order };
  const { backends, index, backend } = choice(view, state);
  if (backend === undefined) return state;
  const moved = (by: number): TopState => {
    const next = backends[Math.min(backends.length - 1, Math.max(0, index + by))] ?? backend;
    return { ...state, chosen: { pool: next.pool, address: next.address } };
  };
  const asked = (what: TopAction['what']): TopState => {
    const { pool, address } = backend;
    return { ...state, chosen: { pool, address }, question: { pool, address, what } };
  };
  switch (key) {
    case '\x1b[A':
    case 'k':
      return moved(-1);
    case '\x1b[B':
    case 'j':
      return moved(1);
    case '\x1b[5~':
      return moved(-10);
    case '\x1b[6~':
      return moved(10);
    case 'd':
      return asked('drain');
    case 'r':
      return asked('ready');
    case 's':
    case '\r':
      return { ...moved(0), page: 'sessions' };
    default:
      return state;
  }
}

function onSessions(state: TopState, key: string): TopState {
  const sessionOrder = Object.hasOwn(sessionOrderKeys, key) ? sessionOrderKeys[key] : undefined;
  if (sessionOrder !== undefined) return { ...state, sessionOrder };
  return ['s', '\x1b', '\x7f', '\r'].includes(key) ? { ...state, page: 'backends' } : state;
}
