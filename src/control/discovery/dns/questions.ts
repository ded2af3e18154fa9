import type { LookupAddress, SrvRecord } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import type { ResolverConfig } from '../../../config/config.ts';
import { startTimeOut } from '../../time-out.ts';
import type { Answer } from '../watch.ts';
import { isDenial, isServerFailure } from './failure.ts';
import {
  candidates,
  namesOfHostsFile,
  ownSystem,
  parseResolvConf,
  type SystemResolver,
  type SystemSettings,
  systemFile,
} from './system-resolver.ts';

/** How long an answer holds that comes without a time to live: from the system's resolver, and SRV records. */
export const unstatedTtlMs = 30_000;

/**
 * The questions that are asked of name servers. The same question is never asked twice at once: what asks
 * meanwhile gets the same answer. Each answer is waited for `timeoutMs`.
 *
 * A name is completed with the system's search domains as the system does it, whichever servers are asked.
 */
export class Questions {
  readonly #config: ResolverConfig;
  readonly #settings: SystemSettings;
  readonly #underWay = new Map<string, Promise<unknown>>();
  #asking: Asking | undefined;

  constructor(config: ResolverConfig, settings: SystemSettings = ownSystem) {
    this.#config = config;
    this.#settings = settings;
  }

  /**
   * The addresses of a host in a stable order: what the hosts file says, or else the A and AAAA records, or
   * else, unless name servers are configured, what the system says (which knows mDNS and more).
   * Where one family's question fails, its `previous` addresses stand in for the answer.
   */
  async addresses(host: string, previous: readonly string[] = []): Promise<Answer<readonly string[]>> {
    if (isLocalhost(host) || (await this.#isInHostsFile(host))) return this.#systemAddresses(host);
    try {
      const isKnown = previous.length > 0;
      return await this.#search(host, isKnown, (asking, name) => this.#records(asking, name, previous));
    } catch (error) {
      if (this.#config.servers.length > 0) throw error;
      return await this.#systemAddresses(host).catch(() => Promise.reject(error));
    }
  }

  /**
   * The SRV records of a service (RFC 2782). A target that is the root says that the service is not there, and nothing
   * can be reached at port 0.
   */
  async services(written: string, isKnown: boolean): Promise<readonly SrvRecord[]> {
    const records = await this.#search(written, isKnown, ({ resolver }, name) =>
      this.#ask(`SRV ${name}`, () => resolver.resolveSrv(name)),
    );
    const real = records.filter(({ name, port }) => name !== '' && name !== '.' && port !== 0);
    if (real.length === 0) throw new Error('No SRV record of the name leads to a host and a port');
    return real;
  }

  /** Drops all questions; they reject. */
  close(): void {
    this.#asking?.resolver.cancel();
  }

  /**
   * Asks for one name after the other until there is one that exists. A server that fails ends that as soon as
   * something is known of the name: the next in line may be quite another.
   */
  async #search<T>(
    written: string,
    isKnown: boolean,
    ask: (asking: Asking, name: string) => Promise<T>,
  ): Promise<T> {
    const asking = await this.#current();
    const failures: unknown[] = [];
    for (const name of candidates(written, asking.system)) {
      try {
        return await ask(asking, name);
      } catch (error) {
        failures.push(error);
        if (!isDenial(error) && (isKnown || !isServerFailure(error))) break;
      }
    }
    throw failures.find((failure) => !isDenial(failure)) ?? failures[0];
  }

  /** The resolver of the system's settings as they are now: servers come and go with networks. */
  async #current(): Promise<Asking> {
    const text = await this.#once('settings', () => systemFile(this.#settings.file));
    if (this.#asking?.text !== text) {
      // What still waits for a server that has gone is asked again, as after every failure.
      this.#asking?.resolver.cancel();
      this.#asking = this.#reading(text);
    }
    return this.#asking;
  }

  #reading(text: string): Asking {
    const { servers, timeoutMs } = this.#config;
    const system = parseResolvConf(text, this.#settings);
    // Two tries a server, the second twice as long, so that one lost packet does not use up the time.
    const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 3), tries: 2 });
    if (servers.length > 0) resolver.setServers(servers);
    else if (system.servers.length > 0) resolver.setServers(system.servers);
    return { text, system, resolver };
  }

  async #records(
    { resolver }: Asking,
    host: string,
    previous: readonly string[],
  ): Promise<Answer<readonly string[]>> {
    const [v4, v6] = await Promise.allSettled([
      this.#ask(`A ${host}`, () => resolver.resolve4(host, { ttl: true })),
      this.#ask(`AAAA ${host}`, () => resolver.resolve6(host, { ttl: true })),
    ]);
    const found = [v4, v6].flatMap((family) => (family.status === 'fulfilled' ? family.value : []));
    if (found.length === 0) throw failureOf(v4, v6);
    const kept = [
      ...(failed(v4) ? previous.filter((address) => isIPv4(address)) : []),
      ...(failed(v6) ? previous.filter((address) => isIPv6(address)) : []),
    ];
    return {
      value: ordered([...found.map(({ address }) => address), ...kept]),
      ttlMs: 1_000 * Math.min(...found.map(({ ttl }) => ttl)),
    };
  }

  async #systemAddresses(host: string): Promise<Answer<readonly string[]>> {
    const found: LookupAddress[] = await this.#ask(`system ${host}`, () => lookup(host, { all: true }));
    return { value: ordered(found.map(({ address }) => address)), ttlMs: unstatedTtlMs };
  }

  async #isInHostsFile(host: string): Promise<boolean> {
    const names = await this.#once('hosts file', namesOfHostsFile);
    return names.has(host.replace(/\.$/, '').toLowerCase());
  }

  #ask<T>(question: string, ask: () => Promise<T>): Promise<T> {
    return within(this.#config.timeoutMs, this.#once(question, ask));
  }

  /** What is under way is not begun again: the system's resolver may hold a thread for long after we gave up. */
  #once<T>(what: string, begin: () => Promise<T>): Promise<T> {
    // The key says what it is, and so of which type.
    const known = this.#underWay.get(what) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const begun = begin().finally(() => this.#underWay.delete(what));
    this.#underWay.set(what, begun);
    return begun;
  }
}

/** The resolver, and the text of the system's settings that it was made from. */
interface Asking {
  readonly text: string;
  readonly system: SystemResolver;
  readonly resolver: Resolver;
}

async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    cancel = startTimeOut(timeoutMs, () => reject(new Error(`No answer within ${timeoutMs} ms`)));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
  }
}

/** RFC 6761, 6.3: such names are the system's own and never asked of a name server. */
function isLocalhost(host: string): boolean {
  return /(^|\.)localhost\.?$/i.test(host);
}

function ordered(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.map(canonicalAddress))].sort();
}

/**
 * The one text of an IP address (RFC 5952), so that the same address is never two backends. An IPv4-mapped
 * IPv6 address is written as IPv4.
 */
export function canonicalAddress(text: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  // A zone (fe80::1%eth0) is no part of a URL; such an address is left as the system wrote it.
  return isIPv6(text) && !text.includes('%') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}

type Settled = PromiseSettledResult<unknown>;

/** Whether a question got no answer; that there are no such records is one. */
function failed(question: Settled): boolean {
  return question.status === 'rejected' && !isDenial(question.reason);
}

/** Why there is no address: rather because a question failed than because it was answered with nothing. */
function failureOf(...questions: readonly Settled[]): unknown {
  const rejected = questions.filter((question) => question.status === 'rejected');
  return (rejected.find(failed) ?? rejected[0])?.reason;
}
