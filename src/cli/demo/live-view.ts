/** A few lines on how the backends fare: redrawn in place on a terminal, printed one after the other elsewhere. */
import type { WriteStream } from 'node:tty';
import type { BackendSnapshot, Snapshot } from '../../telemetry/snapshot.ts';

const everyMs = { terminal: 250, elsewhere: 1_000 };

/** `names` are what people call the backends, by their addresses. */
export function startLiveView(
  snapshot: () => Snapshot,
  names: ReadonlyMap<string, string>,
  out: WriteStream,
) {
  let drawn = 0;
  const draw = (): void => {
    const rows = snapshot()
      .pools.flatMap(({ backends }) => backends)
      .map((row) => ({ ...row, name: names.get(row.name) ?? row.name }));
    const lines = out.isTTY ? [heading, ...rows.map(inColumns)] : [rows.map(inShort).join(' | ')];
    // Cursor up to where the last drawing began, then each line anew up to its end (ECMA-48: CUU and EL).
    const again = out.isTTY && drawn > 0 ? `\x1b[${drawn}A` : '';
    const clear = out.isTTY ? '\x1b[K' : '';
    out.write(again + lines.map((line) => `${line}${clear}\n`).join(''));
    drawn = lines.length;
  };
  draw();
  const timer = setInterval(draw, out.isTTY ? everyMs.terminal : everyMs.elsewhere);
  return { close: () => clearInterval(timer) };
}

const widths = [10, 9, 11, 8, 9, 13, 13] as const;

const heading = columns(['backend', 'health', 'breaker', 'active', 'served', 'to backend', 'to client']);

function inColumns(row: BackendSnapshot): string {
  const { name, health, circuit, active, totals } = row;
  const bytes = [size(totals.bytesToBackend), size(totals.bytesToClient)];
  return columns([name, health, circuit, String(active), String(totals.connections), ...bytes])
    .replace(health, paint(health, health === 'down' ? red : green))
    .replace(circuit, paint(circuit, circuit === 'closed' ? green : red));
}

/** Words to the left, numbers to the right. */
function columns(texts: readonly string[]): string {
  return texts
    .map((text, index) => (index < 3 ? text.padEnd(widths[index] ?? 0) : text.padStart(widths[index] ?? 0)))
    .join('');
}

function inShort({ name, health, circuit, active, totals }: BackendSnapshot): string {
  return `${name} ${health}, breaker ${circuit}, ${active} active, ${totals.connections} served`;
}

const green = 32;
const red = 31;

function paint(text: string, colour: number): string {
  return `\x1b[${colour}m${text}\x1b[0m`;
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
