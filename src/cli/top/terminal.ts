/**
 * The whole of a terminal for one program: its lines are drawn over, its keys come one by one, and whatever happens to
 * the program, the terminal is afterwards as it was before.
 */
import type { ReadStream, WriteStream } from 'node:tty';

export interface TerminalDeps {
  readonly input: ReadStream;
  readonly out: WriteStream;
  onKey(key: string): void;
  /** The terminal has another size now, or is ours again: all has to be drawn. */
  onChange(): void;
  /** The terminal was closed. */
  onGone(): void;
}

/** ECMA-48, and of xterm the other screen (1049) and the cursor (25). */
const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const eraseLine = '\x1b[K';
const eraseBelow = '\x1b[J';

const suspendKey = '\x1a';

export class Terminal {
  readonly #deps: TerminalDeps;
  #isOurs = false;

  constructor(deps: TerminalDeps) {
    this.#deps = deps;
    const { input, out, onGone } = deps;
    out.on('resize', deps.onChange).on('error', onGone);
    if (input.isTTY) input.on('data', this.#onData).on('error', onGone).on('end', onGone);
    // `exit` comes after an error was printed, which would be gone with the screen.
    process.on('exit', this.#restore).on('uncaughtExceptionMonitor', this.#restore);
    this.#enter();
  }

  /** As many lines as there are rows, at most. */
  draw(lines: readonly string[]): void {
    if (!this.#isOurs) return;
    this.#deps.out.write(`${home}${lines.map((line) => `${line}${eraseLine}`).join('\r\n')}${eraseBelow}`);
  }

  close(): void {
    const { input, out, onChange, onGone } = this.#deps;
    this.#restore();
    out.off('resize', onChange).off('error', onGone);
    // What is written to a terminal that has gone is lost.
    out.on('error', () => {});
    input.off('data', this.#onData).off('error', onGone).off('end', onGone);
    input.on('error', () => {});
    process.off('exit', this.#restore).off('uncaughtExceptionMonitor', this.#restore);
    process.off('SIGCONT', this.#enter);
    input.pause();
  }

  readonly #onData = (bytes: Buffer): void => {
    for (const key of keysIn(bytes.toString('latin1'))) {
      if (key === suspendKey) this.#suspend();
      else this.#deps.onKey(key);
    }
  };

  readonly #enter = (): void => {
    const { input, out, onChange } = this.#deps;
    if (input.isTTY) input.setRawMode(true).resume();
    out.write(enter);
    this.#isOurs = true;
    process.off('SIGCONT', this.#enter);
    onChange();
  };

  /** Stops as other programs do, until the shell has it go on. */
  #suspend(): void {
    this.#restore();
    process.once('SIGCONT', this.#enter);
    process.kill(process.pid, 'SIGTSTP');
  }

  readonly #restore = (): void => {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    const { input, out } = this.#deps;
    try {
      if (input.isTTY) input.setRawMode(false);
      // Node writes to a terminal synchronously, so that this is not lost at the end of the process.
      out.write(leave);
    } catch {
      // It is not there any more.
    }
  };
}

/** The keys in what a terminal has sent: an escape sequence is one, in whichever mode its keypad is. */
export function keysIn(text: string): readonly string[] {
  return (text.match(keyPattern) ?? []).map((key) =>
    key.startsWith(`${esc}O`) ? `${esc}[${key.slice(2)}` : key,
  );
}

const esc = '\x1b';
const keyPattern = new RegExp(`${esc}[[O][0-9;]*[A-Za-z~]|[^]`, 'g');
