/**
 * What there is to say of a subject that has failed: the end of its log and of its stderr, and what the kernel dropped.
 */
import { existsSync, readFileSync } from 'node:fs';

export interface Witness {
  /** A file with what the subject printed. */
  readonly log: string | undefined;
  stderr(): string;
}

/** Adds to the error what may explain it. `before` is what `dropped` said when the measurement began. */
export function withLastWords(error: unknown, { log, stderr }: Witness, before: Dropped): unknown {
  if (!(error instanceof Error)) return error;
  const now = dropped();
  const drops = [...now].flatMap(([name, count]) => {
    const more = count - (before.get(name) ?? 0);
    return more > 0 ? [`${name} +${more}`] : [];
  });
  const printed = log !== undefined && existsSync(log) ? readFileSync(log, 'utf8') : '';
  const parts = [
    ['log', lastLines(printed)],
    ['stderr', lastLines(stderr())],
    ['kernel, all processes', drops.join(', ')],
  ].flatMap(([name, text]) => (text === '' ? [] : [`\n  ${name}:\n${text}`]));
  error.message += parts.join('');
  return error;
}

function lastLines(text: string): string {
  return text
    .trim()
    .split('\n')
    .slice(-mostLines)
    .map((line) => line && `    ${line}`)
    .join('\n');
}

const mostLines = 10;

export type Dropped = ReadonlyMap<string, number>;

/** Why the kernel has dropped connections so far: lines of names and of numbers in turn (proc_net_netstat). */
export function dropped(text = existsSync(netstat) ? readFileSync(netstat, 'utf8') : ''): Dropped {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith('TcpExt:'));
  const [names = [], values = []] = lines.slice(at, at + 2).map((line) => line.split(' '));
  return new Map(names.flatMap((name, i) => (telling.has(name) ? [[name, Number(values[i])] as const] : [])));
}

const netstat = '/proc/net/netstat';
const telling = new Set([
  'ListenOverflows',
  'ListenDrops',
  'SyncookiesSent',
  'TCPReqQFullDrop',
  'TCPAbortOnData',
  'TCPAbortOnMemory',
  'TCPTimeouts',
]);
