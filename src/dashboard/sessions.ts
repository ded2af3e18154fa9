/** Open sessions: which there are, who holds a drain open, and ending them. */
import { ask, json, pathOf, problemText } from './api.ts';
import { question } from './dialog.ts';
import { type Child, type Element, h } from './dom.ts';
import { bytes, counted, span } from './format.ts';
import type { Session, Status } from './model.ts';
import { button, choice, empty, field, form, heading, input, select, table, textIn } from './parts.ts';
import { hrefOf, type Place } from './route.ts';
import { changed, mayOperate, store } from './store.ts';

const filters = ['listener', 'pool', 'backend', 'client', 'state', 'olderThan', 'idleFor'] as const;
const shownAtMost = 200;
const everyMs = 2_000;

/** What was found for one filter. */
interface Found {
  readonly query: string;
  readonly sessions: readonly Session[];
  readonly problem: string;
}

let found: Found | undefined;
let asked = '';
let timer: ReturnType<typeof setTimeout> | undefined;

export function sessionsView(status: Status, { query }: Place): Child {
  const given = Object.fromEntries(
    filters.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? '']] : [])),
  );
  const sort = query.get('sort') ?? 'age';
  const wanted = new URLSearchParams({ ...given, sort, limit: String(shownAtMost) }).toString();
  if (wanted !== asked) void look(wanted);
  const now = found?.query === wanted ? found : undefined;
  const pool = Object.hasOwn(status.pools, given['pool'] ?? '')
    ? status.pools[given['pool'] ?? '']
    : undefined;
  const backend = pool?.backends.find(({ address }) => address === given['backend']);
  const isDrained = backend !== undefined && backend.state !== 'ready';
  return [
    heading(
      isDrained ? `What holds the drain of ${backend.address} open` : 'Open sessions',
      Object.keys(given).length === 0
        ? 'The oldest come first. The list is looked at again every two seconds.'
        : [
            'Only those with ',
            Object.entries(given).map(([name, value], at) => [
              at > 0 && ', ',
              `${name} `,
              h('strong', value),
            ]),
            '. ',
            h('a', { href: '#/sessions' }, 'Show all'),
          ],
    ),
    filterForm(status, given, sort),
    now === undefined
      ? h('p', { class: 'muted', role: 'status' }, 'Asking the workers for their sessions …')
      : now.problem !== ''
        ? h('p', { class: 'problem', role: 'alert' }, now.problem)
        : now.sessions.length === 0
          ? empty(
              'No open session',
              isDrained
                ? 'Nothing holds the drain open: it is safe to stop this backend.'
                : 'None passes the filter now.',
            )
          : [
              h(
                'div.buttons',
                h(
                  'p.muted',
                  now.sessions.length === shownAtMost
                    ? `The first ${shownAtMost} are shown.`
                    : `${counted(now.sessions.length, 'session')}.`,
                ),
                mayOperate() &&
                  button(
                    `Close ${Object.keys(given).length === 0 ? 'all sessions' : 'all that pass the filter'}`,
                    () => askAll(given),
                    'danger',
                  ),
              ),
              sessionTable(now.sessions),
            ],
  ];
}

async function look(wanted: string): Promise<void> {
  asked = wanted;
  clearTimeout(timer);
  const result = await sessionsOf(wanted);
  // Another filter was asked for meanwhile.
  if (asked !== wanted) return;
  found = { query: wanted, ...result };
  changed();
  timer = setTimeout(() => {
    const isShown = location.hash.startsWith('#/sessions') && store.link === 'live';
    if (isShown) void look(wanted);
    else asked = '';
  }, everyMs);
}

async function sessionsOf(query: string): Promise<Pick<Found, 'sessions' | 'problem'>> {
  try {
    return { ...(await json<Pick<Found, 'sessions'>>(`sessions?${query}`)), problem: '' };
  } catch (error) {
    return { sessions: [], problem: problemText(error) };
  }
}

function filterForm(
  { listeners, pools }: Status,
  given: Readonly<Record<string, string>>,
  sort: string,
): Element {
  const any = (names: readonly string[]): (readonly [string, string])[] => [
    ['', 'any'],
    ...names.map((name) => [name, name] as const),
  ];
  const backends = Object.entries(pools).flatMap(([name, pool]) =>
    given['pool'] === undefined || given['pool'] === name ? pool.backends.map(({ address }) => address) : [],
  );
  const states = ['inspecting', 'queued', 'held', 'dialing', 'relaying', 'closing'];
  const times = ['10s', '1m', '10m', '1h', '1d'];
  const go = (data: FormData): void => {
    const values = [...filters, 'sort'].map((name) => [name, textIn(data, name)] as const);
    location.hash = hrefOf(['sessions'], Object.fromEntries(values)).slice(1);
  };
  return h(
    'div',
    { key: JSON.stringify(given) },
    form(
      { class: 'filters', submit: go },
      choice('Listener', 'listener', any(Object.keys(listeners)), given['listener']),
      choice('Pool', 'pool', any(Object.keys(pools)), given['pool']),
      choice('Backend', 'backend', any([...new Set(backends)]), given['backend']),
      field(
        'Client',
        input('client', { initial: given['client'] ?? '', placeholder: '10.0.0.0/8', size: 14 }),
      ),
      choice('State', 'state', any(states), given['state']),
      choice('Open for', 'olderThan', any(times), given['olderThan']),
      choice('Silent for', 'idleFor', any(times), given['idleFor']),
      choice(
        'First',
        'sort',
        [
          ['age', 'oldest'],
          ['idle', 'longest silent'],
          ['bytes', 'most bytes'],
        ],
        sort,
      ),
      h('button.primary', 'Show'),
    ),
  );
}

function sessionTable(sessions: readonly Session[]): Element {
  return table(
    'Open sessions',
    [
      { head: 'Client', kind: 'main' },
      { head: 'Way' },
      { head: 'State' },
      { head: 'Open', kind: 'number' },
      { head: 'Silent', kind: 'number' },
      { head: 'To backend', kind: 'number' },
      { head: 'To client', kind: 'number' },
      ...(mayOperate() ? [{ head: 'Actions', kind: 'actions' as const }] : []),
    ],
    sessions.map((session) => ({
      key: session.id,
      cells: [
        [
          h('span.mono', session.client),
          h('p.muted', [session.protocol, session.sni].filter(Boolean).join(' ') || session.id),
        ],
        [
          session.listener,
          session.pool !== undefined && [
            ' → ',
            h('a', { href: hrefOf(['pools', session.pool]) }, session.pool),
          ],
          session.backend !== undefined && h('p.mono.muted', session.backend),
        ],
        session.state,
        span(session.ageMs),
        span(session.idleMs),
        bytes(session.bytesToBackend),
        bytes(session.bytesToClient),
        ...(mayOperate()
          ? [button(['Close', h('span.unseen', ` the session of ${session.client}`)], () => askOne(session))]
          : []),
      ],
    })),
  );
}

function askOne({ id, client, backend }: Session): void {
  question({
    title: `Close the session of ${client}`,
    text: `Both sides are reset${backend === undefined ? '' : `; its backend is ${backend}`}. The client may connect again.`,
    confirm: 'Close session',
    isDangerous: true,
    done: `The session of ${client} is closed`,
    run: () => again(ask(`sessions/${pathOf(id)}`, { method: 'DELETE' })),
  });
}

function askAll(filter: Readonly<Record<string, string>>): void {
  const words = Object.entries(filter).map(([name, value]) => `${name} ${value}`);
  question({
    title: words.length === 0 ? 'Close all sessions' : 'Close the sessions that pass the filter',
    text:
      words.length === 0
        ? 'Every open session of this proxy ends.'
        : `Those with ${words.join(', ')} end, also those beyond what is shown.`,
    fields: [
      field(
        'Over',
        select('over', [
          ['', 'at once'],
          ['30s', '30 seconds'],
          ['1m', '1 minute'],
          ['10m', '10 minutes'],
        ]),
        'Spread, clients do not come back all at once',
      ),
      choice('How', 'how', [
        ['reset', 'reset'],
        ['fin', 'finish (FIN)'],
      ]),
      field('Reason', input('reason', { maxlength: 200 }), 'For the log'),
    ],
    confirm: 'Close sessions',
    isDangerous: true,
    done: 'The sessions are being closed',
    run(data) {
      const [over, how, reason] = ['over', 'how', 'reason'].map((name) => textIn(data, name));
      const body = { filter, how, ...(over && { over }), ...(reason && { reason }) };
      return again(ask('sessions/close', { method: 'POST', body }));
    },
  });
}

async function again(done: Promise<Response>): Promise<void> {
  await done;
  await look(asked);
}
