/**
 * Log lines for people, from those for programs:
 *
 *     2026-11-22 18:18:29 INFO  web  127.0.0.1:45836 > 127.0.0.1:9003 finished 50ms
 *     2026-11-22 18:18:31 WARN  circuit opened pool=app backend=127.0.0.1:9003 failures=5
 *
 * The line of a session that went well has at most 80 characters where names and addresses are of the usual length. It
 * leaves out what is as always; the rest stands behind the columns.
 */
import { styleText } from 'node:util';

type LineFields = Readonly<Record<string, unknown>>;

/** Takes a line of JSON, with or without its newline, and gives one for people. What is no JSON stays as it is. */
export function prettyLine(json: string, isColoured: boolean): string {
  const line = parsed(json);
  if (line === undefined) return `${json.trimEnd()}\n`;
  const { level, time, msg, err, ...fields } = line;
  const style = (format: Format, text: string): string =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  const label = `${level}`.toUpperCase().padEnd(5);
  const what = msg === 'session closed' ? session(fields) : { text: `${msg}`, rest: Object.entries(fields) };
  const rest = what.rest.map(([name, value]) => `${style('dim', `${name}=`)}${valueText(value)}`);
  const text = what.text.replaceAll(control, escaped);
  const words = [style('dim', timeText(`${time}`)), style(formatOf(level), label), text, ...rest];
  return `${words.join(' ').trimEnd()}\n${stackOf(err)}`;
}

function parsed(json: string): LineFields | undefined {
  try {
    const value: unknown = JSON.parse(json);
    // An object has its fields by their names.
    return typeof value === 'object' && value !== null ? (value as LineFields) : undefined;
  } catch {
    return undefined;
  }
}

type Format = 'dim' | 'green' | 'yellow' | 'red';

function formatOf(level: unknown): Format {
  if (level === 'fatal' || level === 'error') return 'red';
  if (level === 'warn') return 'yellow';
  return level === 'info' ? 'green' : 'dim';
}

/** The columns of a session, and what is not as always. */
function session(fields: LineFields): {
  readonly text: string;
  readonly rest: readonly (readonly [string, unknown])[];
} {
  const { listener = '', client = '', backend = '-', reason = '', durationMs } = fields;
  const ends = `${`${client}`.padEnd(15)} > ${`${backend}`.padEnd(14)}`;
  const text = `${`${listener}`.padEnd(4)} ${ends} ${reason} ${durationText(durationMs)}`;
  const isUsual = ([name, value]: readonly [string, unknown]): boolean =>
    inColumns.has(name) || usual[name] === value || alwaysThere.has(name);
  return { text, rest: Object.entries(fields).filter((field) => !isUsual(field)) };
}

const inColumns = new Set(['listener', 'client', 'backend', 'reason', 'durationMs']);
const alwaysThere = new Set([
  'pool',
  'connectMs',
  'firstByteMs',
  'bytesToBackend',
  'bytesToClient',
  'endedBy',
]);
const usual: LineFields = { attempts: 1, queueMs: 0 };

function durationText(ms: unknown): string {
  if (typeof ms !== 'number') return '';
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = ms / 1_000;
  return seconds < 120 ? `${seconds.toFixed(1)}s` : `${Math.round(seconds / 60)}m`;
}

/** In the local time zone. */
function timeText(iso: string): string {
  const date = new Date(iso);
  const two = (number: number): string => `${number}`.padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

/** A word as it is, everything else as JSON. */
function valueText(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value.replaceAll(control, escaped);
  const isWordList = Array.isArray(value) && value.every((one) => typeof one === 'string');
  return isWordList ? valueText(value.join(',')) : JSON.stringify(value).replaceAll(control, escaped);
}

function stackOf(err: unknown): string {
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `${err.stack}` : '';
  if (stack === '') return '';
  return stack
    .split('\n')
    .map((line) => `    ${line.replaceAll(control, escaped)}\n`)
    .join('');
}

/** A peer can choose some of what stands in the log: no terminal is to take it for a command. */
const control = /\p{Cc}/gu;

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
