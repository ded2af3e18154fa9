/** The state of a running proxy as people read it. */
import type { overrideView } from '../../admin/api/resource.ts';
import type { backendStatus, poolStatus, statusOf } from '../../admin/api/status.ts';
import { hasColours } from '../../telemetry/colours.ts';
import { countOf } from '../config-file.ts';
import { type Paper, paperOf, plain, type TableColumn, type TextColour, textTable } from '../text-table.ts';
import { ago } from './times.ts';

/** What the API answers, as JSON leaves it. */
export type Status = ReturnType<typeof statusOf>;
export type PoolStatus = ReturnType<typeof poolStatus>;
export type BackendStatus = ReturnType<typeof backendStatus>;
export type OverrideView = ReturnType<typeof overrideView> & {
  readonly listener?: string;
  readonly pool?: string;
  readonly backend?: string;
};

/** The process and its listeners, then the pools; or one pool alone. */
export function statusLines(
  status: Status,
  pool: string | undefined,
  overrides: readonly OverrideView[],
): readonly string[] {
  const paper = paperOf(process.stdout, hasColours(process.stdout.isTTY, process.env));
  const pools = Object.entries(status.pools).filter(([name]) => pool === undefined || name === pool);
  return [
    ...(pool === undefined ? [...processLines(status), '', ...listenerLines(status, paper)] : []),
    ...pools.flatMap(([name, one], index) => [
      ...(index === 0 && pool !== undefined ? [] : ['']),
      ...poolLines(name, one, paper),
    ]),
    ...(overrides.length === 0 ? [] : ['', ...overrides.map(overrideText)]),
  ];
}

function processLines(status: Status): readonly string[] {
  const { version, driver, phase, phaseSince, workers, configuration, pendingRestart } = status;
  const count = Object.values(workers).reduce((sum, one) => sum + one, 0);
  return [
    `sluice ${version}, ${phase} for ${ago(phaseSince)}, driver ${driver}, ${countOf(count, 'worker')}`,
    ...(configuration.file === null
      ? []
      : [`configuration ${configuration.file}, loaded ${ago(configuration.loaded)} ago`]),
    ...(configuration.lastReloadFailed ? ['the last reload was refused: an older configuration runs'] : []),
    ...(pendingRestart.length === 0 ? [] : [`takes a restart: ${pendingRestart.join(', ')}`]),
  ];
}

function listenerLines({ listeners }: Status, paper: Paper): readonly string[] {
  return textTable(Object.entries(listeners), listenerColumns, paper);
}

type Listener = [name: string, listener: Status['listeners'][string]];

const listenerColumns: readonly TableColumn<Listener>[] = [
  { heading: 'listener', is: 'word', text: ([name]) => name },
  { heading: 'on', is: 'word', text: ([, { bind }]) => [bind].flat().join(' ') || 'nowhere any more' },
  { heading: 'accepts', is: 'word', text: ([, { accept }]) => accept },
  { heading: 'active', is: 'number', text: ([, { active }]) => `${active}` },
  { heading: 'limit', is: 'number', text: ([, { limit }]) => `${limit}` },
  { heading: 'total', is: 'number', text: ([, { total }]) => `${total}` },
];

function poolLines(name: string, pool: PoolStatus, paper: Paper): readonly string[] {
  const { balance, active, queue, queueLimit, hold, names, backends } = pool;
  const queued = queueLimit === 0 && queue === 0 ? '' : `, ${queue} of ${queueLimit} in the queue`;
  return [
    `pool ${name}: ${balance}, ${countOf(active, 'session')}${queued}${holdText(hold)}`,
    ...names.flatMap((one) => (one.problem === null ? [] : [`${one.name} does not resolve: ${one.problem}`])),
    ...textTable(backends, backendColumns, paper),
  ];
}

function holdText(hold: PoolStatus['hold']): string {
  if (hold === null) return '';
  if (hold.phase === 'held') return `, held until ${hold.until}`;
  return hold.rate === 'unlimited' ? ', releasing' : `, releasing ${hold.rate} a second`;
}

const stateColours = { ready: 'green', drain: 'yellow', maint: 'yellow' } as const;
const healthColours = { up: 'green', unknown: 'yellow', down: 'red' } as const;
const circuitColours = { closed: 'green', 'half-open': 'yellow', open: 'red' } as const;

/** The columns of the three words that say how a backend is. */
export const stateColumns: readonly TableColumn<Pick<BackendStatus, 'state' | 'health' | 'circuit'>>[] = [
  {
    heading: 'state',
    is: 'word',
    text: ({ state }) => state,
    colour: ({ state }): TextColour => stateColours[state],
  },
  {
    heading: 'health',
    is: 'word',
    least: 'unknown'.length,
    text: ({ health }) => health,
    colour: ({ health }): TextColour => healthColours[health],
  },
  {
    heading: 'breaker',
    is: 'word',
    least: 'half-open'.length,
    text: ({ circuit }) => circuit,
    colour: ({ circuit }): TextColour => circuitColours[circuit],
  },
];

const backendColumns: readonly TableColumn<BackendStatus>[] = [
  { heading: 'backend', is: 'word', text: nameOf },
  ...stateColumns,
  { heading: 'active', is: 'number', text: ({ active }) => `${active}` },
  { heading: 'total', is: 'number', text: ({ total }) => `${total}` },
  { heading: 'weight', is: 'number', text: ({ weight }) => `${weight}` },
  { heading: 'takes none', is: 'word', text: whyNot },
];

function nameOf({ address, name, backup }: BackendStatus): string {
  return [address, ...(name === null ? [] : [`(${name})`]), ...(backup ? ['backup'] : [])].join(' ');
}

/** Why it takes no session, where its other columns do not say so. */
function whyNot({ unavailable, lastCheck, lastError }: BackendStatus): string {
  if (unavailable === null) return '';
  const cause = { down: lastCheck?.detail, 'circuit-open': lastError?.error }[unavailable as string];
  return cause === undefined ? unavailable : `${unavailable}: ${cause}`;
}

/** What an operator has changed, until when, who it was and why. */
function overrideText(one: OverrideView): string {
  const { listener, pool, backend, field, value, configured, until, by, reason } = one;
  const whose = [listener, pool, backend].filter((name) => name !== undefined).join(' ');
  const end = until === null ? '' : `, until ${until}`;
  const why = reason === null ? '' : `: ${reason}`;
  const what = typeof value === 'object' ? field : `${field} ${value} (configured ${configured})`;
  return plain(`changed: ${whose} ${what}${end}, by ${by}${why}`);
}
