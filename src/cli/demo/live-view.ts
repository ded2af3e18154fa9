/** A few lines on how the backends fare: redrawn in place on a terminal, printed one after the other elsewhere. */
import type { WriteStream } from 'node:tty';
import type { ControlPlane } from '../../control/control-plane.ts';
import { type BackendRow, backendRows } from './backend-rows.ts';

export interface LiveView {
  close(): void;
}

const everyMs = { terminal: 250, elsewhere: 1_000 };

export function startLiveView(proxy: ControlPlane, out: WriteStream): LiveView {
  let drawn = 0;
  const draw = (): void => {
    const rows = backendRows(proxy);
    if (!out.isTTY) {
      out.write(`${rows.map(asPlain).join(' | ')}\n`);
      return;
    }
    const lines = [heading, ...rows.map(asTable)];
    // Cursor up to where the last drawing began, then each line anew up to its end (ECMA-48 CUU and EL).
    out.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map((line) => `${line}\x1b[K\n`).join('')}`);
    drawn = lines.length;
  };
  draw();
  const timer = setInterval(draw, out.isTTY ? everyMs.terminal : everyMs.elsewhere);
  return {
    close: () => clearInterval(timer),
  };
}

const heading = `${'backend'.padEnd(18)}${'health'.padEnd(9)}${'breaker'.padEnd(11)}${'active'.padStart(7)}${'served'.padStart(9)}${'to backend'.padStart(13)}${'to client'.padStart(13)}`;

function asTable(row: BackendRow): string {
  const health = paint(row.health.padEnd(9), row.health === 'down' ? red : green);
  const breaker = paint(row.circuit.padEnd(11), row.circuit === 'closed' ? green : red);
  const numbers = `${String(row.active).padStart(7)}${String(row.served).padStart(9)}`;
  return `${row.name.padEnd(18)}${health}${breaker}${numbers}${size(row.bytesToBackend).padStart(13)}${size(row.bytesToClient).padStart(13)}`;
}

function asPlain(row: BackendRow): string {
  const bytes = `${size(row.bytesToBackend)}/${size(row.bytesToClient)}`;
  return `${row.name} ${row.health}, breaker ${row.circuit}, ${row.active} active, ${row.served} served, ${bytes}`;
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
