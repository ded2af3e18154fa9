import type { Command, Core } from './contract.ts';

/** What the core commands about one event: the same list each time, so that an event costs no list. */
export class CommandList {
  readonly #commands: Command[] = [];
  readonly #result: { count: number; readonly commands: readonly Command[] } = {
    count: 0,
    commands: this.#commands,
  };

  add(command: Command): void {
    this.#commands[this.#result.count++] = command;
  }

  clear(): void {
    this.#result.count = 0;
  }

  get result(): ReturnType<Core['handle']> {
    return this.#result;
  }
}
