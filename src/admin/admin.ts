/** The admin API as the configuration wants it: opened, moved to another address or given another token, closed. */
import type { Logger } from 'pino';
import { formatAddress } from '../config/addresses.ts';
import type { AdminConfig } from '../config/config.ts';
import { BindError } from '../control/bind-error.ts';
import type { Address } from '../core/contract.ts';
import type { Answering } from './routes.ts';
import { AdminServer } from './server.ts';

export interface AdminMove {
  /** Goes over to the new server; the old one still gives the answers that are under way. */
  commit(): Promise<void>;
  /** Stays with the old one. */
  abandon(): void;
}

export class Admin {
  readonly #answering: Answering;
  readonly #logger: Logger;
  #config: AdminConfig | 'off' = 'off';
  #server: AdminServer | undefined;
  #address: string | undefined;

  constructor(answering: Answering, logger: Logger) {
    this.#answering = answering;
    this.#logger = logger;
  }

  /** Where it listens, as people write it. */
  get address(): string | undefined {
    return this.#address;
  }

  /**
   * Makes ready for another configuration: a new address is bound now, so that it can be refused. Throws a
   * BindError; then nothing has changed.
   */
  async prepare(config: AdminConfig | 'off'): Promise<AdminMove> {
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return { commit: nothing, abandon() {} };
    const staysThere = config !== 'off' && this.#isAt(config.bind);
    const opened = config === 'off' || staysThere ? undefined : await this.#open(config);
    return {
      commit: async () => {
        // Closing frees the address at once; the answers under way are not waited for, one may be ours.
        void this.#server?.close();
        const next = config === 'off' ? undefined : (opened ?? (await this.#open(config)));
        this.#config = config;
        this.#server = next?.server;
        this.#address = next?.address;
        if (next !== undefined) this.#logger.info({ bind: next.address }, 'admin API listening');
      },
      abandon: () => void opened?.server.close(),
    };
  }

  async close(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  /** As it was asked for, or, of port 0, as it was given. */
  #isAt(bind: Address): boolean {
    const words = formatAddress(bind);
    return words === this.#address || (this.#config !== 'off' && words === formatAddress(this.#config.bind));
  }

  async #open({ bind, token }: AdminConfig): Promise<{ server: AdminServer; address: string }> {
    const server = new AdminServer({
      ...this.#answering,
      token,
      onError: (err) => this.#logger.error({ err }, 'admin API failed'),
    });
    try {
      return { server, address: formatAddress(await server.listen(bind)) };
    } catch (error) {
      throw error instanceof Error ? new BindError('The admin API', bind, error) : error;
    }
  }
}

const nothing = async (): Promise<void> => {};
