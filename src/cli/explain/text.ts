/** An explanation as people read it, step by step, the outcome last. */
import { formatDuration } from '../../config/durations.ts';
import { orList } from '../../config/options/terms.ts';
import type {
  BackendExplanation,
  Destination,
  Explanation,
  Limit,
  Outcome,
  PoolExplanation,
  RouteExplanation,
} from '../../core/explain/explanation.ts';

type LabelledLine = readonly [label: string, text: string];

export function explanationText(explanation: Explanation): string {
  const { waits, pool, outcome } = explanation;
  const lines: readonly LabelledLine[] = [
    ...whoLines(explanation),
    ['says', seenText(explanation)],
    ...waits.map(
      (wait): LabelledLine => ['waits', `${waitText(wait.upToMs)} ${waitWords[wait.for]}, in vain`],
    ),
    ...routeLines(explanation),
    ...(pool === null ? [] : poolLines(pool)),
    ['outcome', outcomeText(outcome)],
  ];
  const width = Math.max(...lines.map(([label]) => label.length)) + 2;
  return lines.map(([label, text]) => `${label.padEnd(width)}${text}\n`).join('');
}

const waitWords = {
  'proxy-header': 'for a PROXY protocol header',
  handshake: 'for the TLS handshake',
  'first-bytes': 'for the bytes that routes ask for',
};

function whoLines({ client, listener, access, proxyHeader, tls }: Explanation): readonly LabelledLine[] {
  const announced = client.announcedBy === null ? '' : `, announced by ${client.announcedBy}`;
  const own = client.active === undefined ? '' : `, ${usage(client.active, client.maxConnections)}`;
  const ends = tls === 'terminated' ? ', terminates TLS' : '';
  return [
    ['client', `${client.address}${announced}${own}`],
    ['listener', `${listener.name}${ends}, ${usage(listener.active, listener.maxConnections)}`],
    ...(proxyHeader === 'off' ? [] : [['header', headerWords[proxyHeader]] as const]),
    ...(access === 'not-reached' || access.by === 'no-list'
      ? []
      : [['access', `${access.verdict}: ${accessWords[access.by]}${access.network ?? ''}`] as const]),
  ];
}

const headerWords = {
  'not-believed': 'none is believed from this client',
  'not-reached': 'not reached',
  absent: 'no PROXY protocol header',
  incomplete: 'the beginning of a PROXY protocol header',
  broken: 'a PROXY protocol header that is broken',
  own: 'a PROXY protocol header that announces nobody',
  announces: 'a PROXY protocol header',
};

const accessWords = {
  allow: 'in the allowed ',
  deny: 'in the denied ',
  'not-listed': 'in none of the allowed networks',
  'not-denied': 'in none of the denied networks',
};

function seenText({ seen: { protocol, sni, alpn, httpHost } }: Explanation): string {
  const facts = [
    ...(protocol === undefined ? [] : [protocol]),
    ...(typeof sni === 'string' ? [`sni ${sni}`] : []),
    ...(alpn ? [`alpn ${alpn.join(' ')}`] : []),
    ...(typeof httpHost === 'string' ? [`host ${httpHost}`] : []),
  ];
  return facts.length === 0 ? 'nothing that is known' : facts.join(', ');
}

/** The routes at the end that were not reached share a line. */
function routeLines({ routes, fallback }: Explanation): readonly LabelledLine[] {
  const end = routes.findLastIndex(({ verdict }) => verdict !== 'not-reached') + 1;
  const rest = routes.length - end;
  const untilLast = rest > 1 ? ` to routes[${routes.length - 1}]` : '';
  return [
    ...routes.slice(0, end).map((route, index): LabelledLine => [`routes[${index}]`, routeText(route)]),
    ...(rest === 0 ? [] : [[`routes[${end}]${untilLast}`, 'not reached'] as const]),
    ['fallback', fallbackText(fallback)],
  ];
}

function fallbackText({ pool, verdict }: Explanation['fallback']): string {
  if (pool === null) return 'none';
  return `to ${pool}: ${verdict === 'taken' ? 'taken' : 'not reached'}`;
}

function routeText(route: RouteExplanation): string {
  return `to ${destinationText(route.to)}: ${verdictText(route)}`;
}

function destinationText(to: Destination): string {
  if ('pool' in to) return to.pool;
  const shares = Object.entries(to.split).map(([pool, weight]) => `${pool}:${weight}`);
  return `${shares.join(' ')} (next ${to.next})`;
}

function verdictText(route: RouteExplanation): string {
  switch (route.verdict) {
    case 'matches':
      return 'matches';
    case 'not-reached':
      return 'not reached';
    case 'needs-bytes':
      return `needs ${route.missing.join(' and ')}, which is not known`;
    case 'undecided':
      return `may match: ${route.missing.join(' and ')} can't be told from what it sent`;
    case 'fails':
      return `${route.condition}: wanted ${orList(short(route.wanted))}, seen ${route.seen.join(' ') || 'none'}`;
  }
}

function poolLines({
  name,
  balance,
  active,
  maxConnections,
  ...pool
}: PoolExplanation): readonly LabelledLine[] {
  const { size, waiting } = pool.queue;
  const held = pool.held ? ', held' : '';
  const queue = size === 0 ? '' : `, ${waiting} of ${size} in the queue`;
  const panic = pool.ignoresHealth ? ', in panic: health is ignored' : '';
  return [
    ['pool', `${name}, ${balance}, ${usage(active, maxConnections)}${held}${queue}${panic}`],
    ...pool.backends.map((backend): LabelledLine => ['', backendText(backend)]),
  ];
}

function backendText(backend: BackendExplanation): string {
  const { address, weight, rampPercent, backup, active, maxConnections, health, circuit, unavailable } =
    backend;
  const traits = [
    `${address}, weight ${weight}`,
    ...(rampPercent < 100 ? [`of which ${rampPercent} % for now`] : []),
    ...(backup ? ['backup'] : []),
    usage(active, maxConnections),
    ...(health === 'unknown' || unavailable === 'down' ? [] : [health]),
    ...(circuit === 'closed' || unavailable === 'circuit-open' ? [] : [`circuit ${circuit}`]),
  ];
  const availability = backend.candidate ? 'candidate' : (unavailable ?? 'only if no primary can');
  return `${traits.join(', ')}: ${availability}`;
}

function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'dial':
      if (outcome.certainty === 'certain') return `dials ${outcome.backend}`;
      if (outcome.certainty === 'next-turn') return `dials ${outcome.backend}, whose turn is next`;
      return `dials ${orList(short(outcome.possible))}`;
    case 'queue':
      return `waits in the queue ${waitText(outcome.timeoutMs)}${outcome.ahead === 0 ? '' : `, behind ${outcome.ahead}`}`;
    case 'refuse':
      return `refused, ${outcome.reason}: the client sees ${outcome.with === 'reset' ? 'RST' : 'FIN'}`;
  }
}

/** The first of many. */
function short(names: readonly string[]): readonly string[] {
  const shown = names.length > 6 ? 5 : names.length;
  return names.length > shown ? [...names.slice(0, shown), `${names.length - shown} more`] : names;
}

function usage(active: number, most: Limit | undefined): string {
  return most === undefined || most === 'unlimited'
    ? `${active} connections`
    : `${active} of ${most} connections`;
}

function waitText(ms: Limit): string {
  return ms === 'unlimited' ? 'as long as it takes' : `up to ${formatDuration(ms)}`;
}
