/** The screen of `top`: what it shows, its keys, and what they have done. */
import type { ReadStream, WriteStream } from 'node:tty';
import { type AdminClient, apiPath, RefusedError } from '../operate/admin-client.ts';
import { backendText, changeBackend, madeReady } from '../operate/backend-change.ts';
import type { ListedSession, ListedSessions } from '../operate/session-columns.ts';
import { frame } from './frame.ts';
import { Terminal } from './terminal.ts';
import { afterKey, choice, firstState, type TopAction, type TopState } from './top-state.ts';
import type { TopView } from './top-view.ts';

export interface TopScreenOptions {
  readonly input: ReadStream;
  readonly out: WriteStream;
  readonly head: readonly string[];
  readonly isColoured: boolean;
  onQuit(): void;
}

export class TopScreen {
  readonly #client: AdminClient;
  readonly #options: TopScreenOptions;
  readonly #terminal: Terminal;
  #state: TopState = firstState;
  #view: TopView | undefined;
  #sessions: readonly ListedSession[] = [];
  #lost: string | undefined;

  constructor(client: AdminClient, options: TopScreenOptions) {
    this.#client = client;
    this.#options = options;
    const { input, out, onQuit } = options;
    const draw = (): void => this.#draw();
    this.#terminal = new Terminal({
      input,
      out,
      onKey: (key) => this.#onKey(key),
      onChange: draw,
      onGone: onQuit,
    });
    this.#draw();
  }

  show(view: TopView): void {
    this.#view = view;
    this.#lost = undefined;
    this.#draw();
    void this.#listSessions();
  }

  lost({ message }: RefusedError): void {
    this.#lost = `LOST: ${message}. It is tried again`;
    this.#draw();
  }

  close(): void {
    this.#terminal.close();
  }

  #onKey(key: string): void {
    const { state, action, quits } = afterKey(this.#state, key, this.#view);
    const wasPage = this.#state.page;
    this.#state = state;
    if (quits) return this.#options.onQuit();
    if (action !== undefined) void this.#do(action);
    if (state.page === 'sessions') {
      if (wasPage !== 'sessions') this.#sessions = [];
      void this.#listSessions();
    }
    this.#draw();
  }

  async #do({ what, pool, address }: TopAction): Promise<void> {
    const mark = { reason: 'sluice top' };
    const done =
      what === 'drain'
        ? changeBackend(this.#client, pool, address, { state: 'drain', ...mark }).then((one) => [one])
        : madeReady(this.#client, pool, address, mark);
    this.#showMessage(await done.then((backends) => backends.map(backendText).join(), sentenceOf));
  }

  async #listSessions(): Promise<void> {
    const { page, sessionOrder } = this.#state;
    const backend = this.#view && choice(this.#view, this.#state).backend;
    if (page !== 'sessions' || backend === undefined) return;
    const query = {
      pool: backend.pool,
      backend: backend.address,
      sort: sessionOrder,
      limit: `${this.#rows}`,
    };
    try {
      const { body } = await this.#client.ask<ListedSessions>(apiPath('sessions'), { query });
      this.#sessions = body.sessions;
      this.#draw();
    } catch (error) {
      this.#showMessage(sentenceOf(error));
    }
  }

  #showMessage(message: string): void {
    this.#state = { ...this.#state, message };
    this.#draw();
  }

  /** A terminal that does not tell has as many as the VT100. */
  get #rows(): number {
    return this.#options.out.rows || 24;
  }

  #draw(): void {
    const { out, head, isColoured } = this.#options;
    const screen = { columns: out.columns || 80, rows: this.#rows, isColoured };
    const shown = { view: this.#view, state: this.#state, sessions: this.#sessions, lost: this.#lost, head };
    this.#terminal?.draw(frame(shown, screen));
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof RefusedError) return error.message;
  throw error;
}
