import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Terminal } from '../../../src/cli/top/terminal.ts';

/** A control sequence, or a character. */
const esc = '\x1b';
const parts = new RegExp(`${esc}\\[\\??\\d*[A-Za-z]|[\\s\\S]`, 'g');

/**
 * A terminal as it looks: it wraps what is too long, and does what top asks of one (CUP, EL, ED, and xterm's modes).
 */
class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  readonly modes = new Set<string>();
  columns: number;
  isRaw = false;
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    super();
    this.columns = columns;
  }

  get lines(): readonly string[] {
    return this.#lines.map((line) => line.trimEnd());
  }

  write(text: string): boolean {
    for (const [part] of text.matchAll(parts)) this.#take(part);
    return true;
  }

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }

  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }

  #take(part: string): void {
    const line = this.#lines[this.#row] ?? '';
    const [, mode = '', set] = /\[\?(\d+)([hl])$/.exec(part) ?? [];
    if (set === 'h') this.modes.add(mode);
    else if (set === 'l') this.modes.delete(mode);
    else if (part === '\x1b[H') this.#moveTo(0, 0);
    else if (part === '\x1b[K') this.#lines[this.#row] = line.slice(0, this.#column);
    else if (part === '\x1b[J') {
      this.#lines[this.#row] = line.slice(0, this.#column);
      this.#lines.length = this.#row + 1;
    } else if (part === '\r') this.#moveTo(this.#row, 0);
    else if (part === '\n') this.#moveTo(this.#row + 1, this.#column);
    else {
      if (this.#column === this.columns) this.#moveTo(this.#row + 1, 0);
      const before = (this.#lines[this.#row] ?? '').padEnd(this.#column);
      this.#lines[this.#row] = before.slice(0, this.#column) + part + before.slice(this.#column + 1);
      this.#column++;
    }
  }

  #moveTo(row: number, column: number): void {
    this.#row = row;
    this.#column = column;
    while (this.#lines.length <= row) this.#lines.push('');
  }
}

function opened(columns: number) {
  const tty = new FakeTerminal(columns);
  const keys: string[] = [];
  const told = { changes: 0, isGone: false };
  const terminal = new Terminal({
    // It uses no more of its streams than this terminal has.
    input: tty as unknown as ReadStream,
    out: tty as unknown as WriteStream,
    onKey: (key) => keys.push(key),
    onChange: () => told.changes++,
    onGone: () => {
      told.isGone = true;
    },
  });
  onTestFinished(() => terminal.close());
  return { tty, terminal, keys, told };
}

const otherScreen = new Set(['1049']);

describe('The terminal of top', () => {
  it.each([80, 60, 30])('is drawn over, with %i columns', (columns) => {
    const { tty, terminal } = opened(columns);
    const lines = ['x'.repeat(columns), 'second', '', 'last'];
    for (let time = 0; time < 3; time++) terminal.draw(lines);
    expect(tty.lines).toEqual(lines);
    terminal.draw(['short', 'fewer']);
    expect(tty.lines).toEqual(['short', 'fewer']);
  });

  it('is taken whole, without its cursor, and given back as it was', () => {
    const { tty, terminal } = opened(80);
    expect([tty.isRaw, tty.modes]).toEqual([true, otherScreen]);
    terminal.close();
    expect([tty.isRaw, tty.modes]).toEqual([false, new Set(['25'])]);
    terminal.draw(['no more']);
    expect(tty.lines).not.toContain('no more');
  });

  it('tells keys one by one, an escape sequence as one', () => {
    const { tty, keys } = opened(80);
    tty.emit('data', Buffer.from('d\x1b[A\x1bOB\x1b[5~\x1b'));
    expect(keys).toEqual(['d', '\x1b[A', '\x1b[B', '\x1b[5~', '\x1b']);
  });

  it('tells of another size, and of its end', () => {
    const { tty, told } = opened(80);
    const before = told.changes;
    tty.emit('resize');
    expect(told).toEqual({ changes: before + 1, isGone: false });
    tty.emit('error', new Error('EIO'));
    expect(told.isGone).toBe(true);
  });

  it.each(['exit', 'uncaughtExceptionMonitor'] as const)('is given back at %s', (event) => {
    const { tty } = opened(80);
    const listener = process.listeners(event as 'exit').at(-1);
    listener?.call(process, 0);
    expect([tty.isRaw, tty.modes.has('1049')]).toEqual([false, false]);
  });
});
