/** The admin API as the configuration wants it: opened, moved to another address or given another token, closed. */
import type { Logger } from 'pino';
import { formatAddress } from '../config/addresses.ts';
import { exclude } from '../config/bind-clashes.ts';
import type { AdminConfig } from '../config/config.ts';
import { BindError } from '../control/bind-error.ts';
import type { Address } from '../core/contract.ts';
import type { RouteDeps } from './api/route.ts';
import { AdminServer } from './server.ts';

export interface AdminMove {
  /** Stops listening where a listener wants to; answers under way are still given. */
  freeAddresses(): void;
  /** Goes over to the new server; the old one still gives the answers that are under way. Throws a BindError. */
  commit(): Promise<void>;
  /** Stays with the old one, or goes back to it. */
  abandon(): Promise<void>;
}

/** Where listeners are now and are to be: an address may change hands between them and the admin API. */
export interface ListenerAddresses {
  readonly held: readonly Address[];
  readonly wanted: readonly Address[];
}

export class Admin {
  readonly #deps: Omit<RouteDeps, 'snapshots'>;
  readonly #logger: Logger;
  #config: AdminConfig | 'off' = 'off';
  #server: AdminServer | undefined;
  #bound: Address | undefined;

  constructor(deps: Omit<RouteDeps, 'snapshots'>, logger: Logger) {
    this.#deps = deps;
    this.#logger = logger;
  }

  /** Where it listens. */
  get bound(): Address | undefined {
    return this.#bound;
  }

  /**
   * Makes ready for another configuration: a new address is bound now, so that it can be refused, unless a listener has
   * it still. Throws a BindError; then nothing has changed.
   */
  async prepare(
    config: AdminConfig | 'off',
    { held, wanted }: ListenerAddresses = { held: [], wanted: [] },
  ): Promise<AdminMove> {
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return unmoved;
    const { bound } = this;
    const isLate =
      config !== 'off' && (this.#isAt(config.bind) || held.some((address) => exclude(address, config.bind)));
    const opened = config === 'off' || isLate ? undefined : await this.#open(config);
    return {
      freeAddresses: () => {
        if (bound !== undefined && wanted.some((address) => exclude(address, bound))) {
          this.#server?.stopListening();
        }
      },
      commit: async () => {
        if (isLate) this.#server?.stopListening();
        const next = config === 'off' ? undefined : (opened ?? (await this.#open(config)));
        // The answers under way are not waited for: one may be ours.
        void this.#server?.close();
        this.#config = config;
        this.#server = next?.server;
        this.#bound = next?.address;
        if (next === undefined) this.#deps.history.stop();
        else this.#deps.history.start();
        if (next !== undefined)
          this.#logger.info({ bind: formatAddress(next.address) }, 'admin API listening');
      },
      abandon: async () => {
        void opened?.server.close();
        await this.#reopen();
      },
    };
  }

  /** Listens again where it did. */
  async #reopen(): Promise<void> {
    if (this.#config === 'off' || this.#bound === undefined || this.#server?.isListening) return;
    try {
      const { server } = await this.#open({ ...this.#config, bind: this.#bound });
      void this.#server?.close();
      this.#server = server;
    } catch (err) {
      this.#logger.error({ err }, 'admin API is not back where it was');
    }
  }

  async close(): Promise<void> {
    this.#deps.history.stop();
    await this.#server?.close();
    this.#server = undefined;
  }

  /** Whether it is there already: as it was asked for, or with the port that 0 became. */
  #isAt(bind: Address): boolean {
    const words = formatAddress(bind);
    const isBound = this.#bound !== undefined && words === formatAddress(this.#bound);
    return isBound || (this.#config !== 'off' && words === formatAddress(this.#config.bind));
  }

  async #open({ bind, tokens }: AdminConfig): Promise<{ server: AdminServer; address: Address }> {
    const server = new AdminServer({
      ...this.#deps,
      tokens,
      onChange: (change) => {
        this.#logger.info(change, 'operator');
        this.#deps.events.publish('operator', change);
      },
      onError: (err) => this.#logger.error({ err }, 'admin API failed'),
    });
    try {
      return { server, address: await server.listen(bind) };
    } catch (error) {
      throw error instanceof Error ? new BindError('The admin API', bind, error) : error;
    }
  }
}

const unmoved: AdminMove = { freeAddresses() {}, async commit() {}, async abandon() {} };
