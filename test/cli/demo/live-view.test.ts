import { EventEmitter } from 'node:events';
import type { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startLiveView } from '../../../src/cli/demo/live-view.ts';
import { introduction, type Row, table } from '../../../src/cli/demo/screen.ts';

const totals = { connections: 0, bytesToBackend: 0, bytesToClient: 0 };
const rows: readonly Row[] = [9001, 9002, 9003].map((port) => ({
  name: `127.0.0.1:${port}`,
  health: 'up',
  circuit: 'closed',
  active: 0,
  totals,
}));
const intro = introduction(8080, 9900);

/** A terminal as it looks: it wraps what is too long, and does what the demo asks of one (ECMA-48: CUU, ED, CUP). */
class Terminal extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  #screen: string[] = [''];
  #line = 0;

  constructor(columns: number) {
    super();
    this.columns = columns;
  }

  get lines(): readonly string[] {
    return this.#screen.map((line) => line.trimEnd());
  }

  /** Narrower or wider: what is there wraps anew. */
  resize(columns: number): void {
    this.columns = columns;
    const before = this.#screen.splice(0).join('\n');
    this.#line = 0;
    this.#screen.push('');
    this.write(before);
    this.emit('resize');
  }

  write(text: string): boolean {
    for (const part of text.split(/(\n|\r)/)) {
      const [plain = '', ...controlled] = part.split('\x1b[');
      this.#take(plain);
      for (const sequence of controlled) {
        const [control = ''] = /^\d*[A-Z]/i.exec(sequence) ?? [];
        this.#run(control);
        this.#take(sequence.slice(control.length));
      }
    }
    return true;
  }

  #run(control: string): void {
    if (control === '2J') this.#screen.fill('');
    if (control === 'H') this.#moveTo(0);
    if (control === 'J') {
      this.#screen.length = this.#line;
      this.#moveTo(this.#line);
    }
    if (control.endsWith('A')) this.#moveTo(Math.max(0, this.#line - Number.parseInt(control, 10)));
  }

  #take(text: string): void {
    if (text === '\n') return this.#moveTo(this.#line + 1);
    if (text === '\r') return;
    for (let at = 0; at < text.length; at += this.columns) {
      if (at > 0) this.#moveTo(this.#line + 1);
      this.#screen[this.#line] = text.slice(at, at + this.columns);
    }
  }

  #moveTo(line: number): void {
    this.#line = line;
    while (this.#screen.length <= line) this.#screen.push('');
  }
}

describe('The live view of the demo', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubEnv('TERM', 'xterm');
    vi.stubEnv('NO_COLOR', '1');
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });

  const start = (terminal: Terminal) =>
    // It uses no more of a stream than this terminal has.
    startLiveView(intro, () => rows, terminal as unknown as WriteStream);

  it.each([80, 60, 30])('is drawn over in a terminal of %i columns', (columns) => {
    const terminal = new Terminal(columns);
    const view = start(terminal);
    const first = terminal.lines;
    vi.advanceTimersByTime(5_000);
    expect(terminal.lines).toEqual(first);
    expect(first.slice(-5, -1)).toEqual(table(rows, columns, false));
    view.close();
  });

  it('is drawn anew where the terminal becomes narrower', () => {
    const terminal = new Terminal(80);
    const view = start(terminal);
    vi.advanceTimersByTime(1_000);
    terminal.resize(60);
    vi.advanceTimersByTime(1_000);
    expect(terminal.lines.filter((line) => line !== '')).toEqual(
      [...intro, ...table(rows, 60, false)].filter((line) => line !== ''),
    );
    view.close();
  });

  it('prints lines, and nothing else, where a terminal can’t be drawn over', () => {
    vi.stubEnv('TERM', 'dumb');
    const terminal = new Terminal(500);
    const write = vi.spyOn(terminal, 'write');
    const view = start(terminal);
    vi.advanceTimersByTime(2_000);
    const written = write.mock.calls.map(([text]) => text).join('');
    expect(written).not.toContain('\x1b');
    expect(written.match(/9001 up, breaker closed/g)).toHaveLength(3);
    view.close();
  });
});
