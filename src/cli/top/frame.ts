/** The screen of `top` as lines: what the proxy does now, its pools and backends or its sessions, and the keys. */
import { styleText } from 'node:util';
import { type ListedSession, sessionColumns } from '../operate/session-columns.ts';
import { bytesText } from '../operate/sizes.ts';
import { stateColumns } from '../operate/status-text.ts';
import { ago } from '../operate/times.ts';
import { plain, type TableColumn, textTable } from '../text-table.ts';
import { choice, inOrder, orderKeys, sessionOrderKeys, type TopState } from './top-state.ts';
import type { Rates, TopBackend, TopPool, TopView } from './top-view.ts';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly isColoured: boolean;
}

export interface Shown {
  /** Absent until the first state of the proxy has come. */
  readonly view: TopView | undefined;
  readonly state: TopState;
  /** The sessions of the chosen backend, on their page. */
  readonly sessions: readonly ListedSession[];
  /** Why the connection to the proxy is lost, while it is. */
  readonly lost: string | undefined;
  /** Lines above all others. */
  readonly head: readonly string[];
}

/** No more lines than the screen has rows, and none wider than it: one that wraps could not be drawn over. */
export function frame(shown: Shown, screen: Screen): readonly string[] {
  const { view, state, lost, head } = shown;
  const cut = (line: string): string => plain(line).slice(0, screen.columns);
  const top = [...head, ...(view === undefined ? ['waits for the proxy'] : summary(view)), ''].map(cut);
  const says = lost ?? questionText(state, view) ?? state.message;
  const bottom = [
    emphasised(cut(says), lost === undefined ? 'bold' : 'red', screen),
    ...keyLines(state).map(cut),
  ];
  const room = screen.rows - top.length - bottom.length;
  // On a low screen, what is shown counts more than what may be done.
  if (room < 3)
    return [...top.slice(head.length), ...body(shown, screen, screen.rows - 3)].slice(0, screen.rows);
  return [...top, ...body(shown, screen, room), ...bottom];
}

function emphasised(text: string, style: 'bold' | 'red' | 'inverse', { isColoured }: Screen): string {
  return isColoured && text !== '' ? styleText(style, text, { validateStream: false }) : text;
}

function summary({ status, active, rates }: TopView): readonly string[] {
  const { version, phase, phaseSince, workers } = status;
  const threads = Object.entries(workers).map(([driver, count]) => `${count} ${driver}`);
  return [
    `sluice ${version}  ${phase} ${ago(phaseSince)}  workers: ${threads.join(', ')}`,
    `${active} connections  ${perSecond(rates.sessions)} new/s  ` +
      `${bytesText(rates.bytesToClient)}/s to clients  ${bytesText(rates.bytesToBackend)}/s to backends`,
  ];
}

function questionText({ question }: TopState, view: TopView | undefined): string | undefined {
  if (question === undefined) return undefined;
  const { what, pool, address } = question;
  const backends = view?.pools.find(({ name }) => name === pool)?.backends ?? [];
  const sessions = backends.find((one) => one.address === address)?.active ?? 0;
  const left = backends.filter((one) => one.address !== address && one.unavailable === null).length;
  const effect = what === 'drain' ? ` ${sessions} sessions stay, ${left} others take new ones.` : '';
  return `${what} ${pool} ${address}?${effect} y/n`;
}

function keyLines({ page }: TopState): readonly string[] {
  const sorts = Object.entries(page === 'backends' ? orderKeys : sessionOrderKeys);
  const keys = page === 'backends' ? 'up/down choose  d drain  r ready  s sessions' : 's back';
  return [`q quit  ${keys}`, `sort by  ${sorts.map(([key, order]) => `${key} ${order}`).join('  ')}`];
}

function body(shown: Shown, screen: Screen, room: number): readonly string[] {
  if (shown.view === undefined || room < 1) return [];
  const lines =
    shown.state.page === 'backends'
      ? backendLines(shown.view, shown.state, screen, room)
      : sessionLines(shown.view, shown, screen, room);
  return [...lines, ...Array.from({ length: room - lines.length }, () => '')];
}

function sessionLines(
  view: TopView,
  { state, sessions }: Shown,
  screen: Screen,
  room: number,
): readonly string[] {
  const { backend } = choice(view, state);
  const title = backend === undefined ? 'no backend' : `sessions of ${backend.pool} ${backend.address}`;
  const paper = { width: screen.columns, isColoured: screen.isColoured, gap: 1 };
  return [
    `${title}, the most ${state.sessionOrder} first`.slice(0, screen.columns),
    ...textTable(sessions, sessionColumns, paper),
  ].slice(0, room);
}

type TopRow = { readonly pool: TopPool } | { readonly backend: TopBackend; readonly isChosen: boolean };

/** The heading, and as many rows around the chosen one as there is room for. */
function backendLines(view: TopView, state: TopState, screen: Screen, room: number): readonly string[] {
  const { backend: chosen } = choice(view, state);
  const rows = inOrder(view.pools, state.order).flatMap((pool): readonly TopRow[] => [
    { pool },
    ...pool.backends.map((backend) => ({
      backend,
      isChosen: backend.pool === chosen?.pool && backend.address === chosen.address,
    })),
  ]);
  const [heading = '', ...lines] = textTable(rows, columns, {
    width: screen.columns,
    isColoured: screen.isColoured,
    gap: 1,
  });
  const at = rows.findIndex((row) => 'backend' in row && row.isChosen);
  const first = Math.max(0, Math.min(lines.length - (room - 1), at - Math.floor(room / 2)));
  const styled = lines.map((line, index) =>
    'pool' in (rows[index] ?? {}) ? emphasised(line, 'bold', screen) : line,
  );
  return [emphasised(heading, 'inverse', screen), ...styled.slice(first, first + room - 1)];
}

const columns: readonly TableColumn<TopRow>[] = [
  {
    heading: 'pool, backend',
    is: 'word',
    least: 17,
    text: (row) => ('pool' in row ? row.pool.name : `${row.isChosen ? '>' : ' '} ${row.backend.address}`),
  },
  ...stateColumns.map(
    ({ text, colour, ...column }): TableColumn<TopRow> => ({
      ...column,
      text: (row) => ('pool' in row ? poolWord(row.pool, column.heading) : text(row.backend)),
      colour: (row) => ('pool' in row ? undefined : colour?.(row.backend)),
    }),
  ),
  number('active', 6, (row) => `${partOf(row).active}`),
  number('new/s', 5, (row) => perSecond(partOf(row).rates.sessions)),
  number('to client', 9, (row) => `${bytesText(partOf(row).rates.bytesToClient)}`),
  number('to backend', 10, (row) => bytesText(partOf(row).rates.bytesToBackend)),
  number('failed/s', 8, (row) => perSecond(partOf(row).rates.failures)),
  number('queued', 6, (row) => ('pool' in row ? `${row.pool.queue}` : '')),
  {
    heading: 'takes none',
    is: 'word',
    text: (row) => ('pool' in row ? '' : (row.backend.unavailable ?? '')),
  },
];

/** A pool has no health and no breaker, but may be held or releasing. */
function poolWord({ hold }: TopPool, heading: string): string {
  return heading === 'state' ? (hold?.phase ?? '') : '';
}

function number(heading: string, least: number, text: (row: TopRow) => string): TableColumn<TopRow> {
  return { heading, is: 'number', least, text };
}

function partOf(row: TopRow): { readonly active: number; readonly rates: Rates } {
  return 'pool' in row ? row.pool : row.backend;
}

function perSecond(rate: number): string {
  return rate > 0 && rate < 9.95 ? rate.toFixed(1) : rate.toFixed(0);
}
