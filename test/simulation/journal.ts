import type { Command, CoreEvent } from '../../src/core/contract.ts';
import type { SessionEvent } from './told.ts';

/** The last things that happened, to be read when something went wrong. */
export class Journal {
  readonly #length: number;
  /** Written out only if they are asked for. */
  readonly #notes: (() => string)[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  note(nowMs: number, text: string): void {
    this.#notes.push(() => `${nowMs.toFixed(3)}  ${text}`);
    if (this.#notes.length > this.#length) this.#notes.shift();
  }

  /** `told`: the same in words of sessions. */
  heard(nowMs: number, worker: number, event: CoreEvent, told?: SessionEvent): void {
    const session = told !== undefined && 'session' in told ? ` (session ${told.session})` : '';
    this.note(nowMs, '');
    this.#notes[this.#notes.length - 1] = () =>
      `${nowMs.toFixed(3)}  worker ${worker} ${written(event)}${session}`;
  }

  answered(commands: readonly Command[]): void {
    const event = this.#notes.pop();
    if (event === undefined) return;
    this.#notes.push(() => [event(), ...commands.map((command) => `    → ${written(command)}`)].join('\n'));
  }

  /** Any value, in full. */
  written(value: unknown): string {
    return JSON.stringify(value, inShort);
  }

  toString(): string {
    return this.#notes.map((write) => write()).join('\n');
  }
}

/** Plans are long: who needs them finds the last one at the end. */
function written({ kind, ...fields }: CoreEvent | Command): string {
  if (kind === 'plan') return kind;
  return `${kind} ${JSON.stringify(fields, inShort)}`;
}

function inShort(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (value instanceof Int32Array) return `${value.length} words`;
  if (value instanceof Map) return `${value.size} entries`;
  return value === Number.POSITIVE_INFINITY ? 'unlimited' : value;
}
