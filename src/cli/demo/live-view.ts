/** Shows how the demo's backends fare: redrawn in place on a terminal, printed one after the other elsewhere. */
import type { WriteStream } from 'node:tty';
import { hasColours } from '../../telemetry/colours.ts';
import { oneLine, type Row, table } from './screen.ts';

const everyMs = { terminal: 250, elsewhere: 1_000 };

/** ECMA-48: the cursor up so many lines; all from the cursor on erased; the whole screen erased, and to its beginning. */
const up = (lines: number): string => `\x1b[${lines}A`;
const eraseBelow = '\x1b[J';
const clear = '\x1b[2J\x1b[H';

/** Prints the introduction, then the backends again and again. A terminal that can't be drawn over is none. */
export function startLiveView(introduction: readonly string[], rows: () => readonly Row[], out: WriteStream) {
  const isTerminal = out.isTTY && process.env['TERM'] !== 'dumb';
  const isColoured = hasColours(isTerminal, process.env);
  let drawn = 0;
  const draw = (): void => {
    const lines = isTerminal ? table(rows(), out.columns, isColoured) : [oneLine(rows())];
    const again = isTerminal && drawn > 0 ? `${up(drawn)}\r${eraseBelow}` : '';
    out.write(again + textOf(lines));
    drawn = lines.length;
  };
  // What was drawn has been wrapped anew by then, nobody knows how.
  const drawAnew = (): void => {
    drawn = 0;
    out.write(clear + textOf(introduction));
    draw();
  };
  out.write(textOf(introduction));
  draw();
  if (isTerminal) out.on('resize', drawAnew);
  const timer = setInterval(draw, isTerminal ? everyMs.terminal : everyMs.elsewhere);
  return {
    close() {
      clearInterval(timer);
      out.off('resize', drawAnew);
    },
  };
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
