import type { LookupAddress, SrvRecord } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import type { ResolverConfig } from '../../config/config.ts';
import { canonicalAddress } from './canonical.ts';
import { isDenial } from './failure.ts';
import { listedInHostsFile } from './hosts-file.ts';
import type { Answer } from './watch.ts';

/** How long an answer holds that comes without a time to live: from the system's resolver, and SRV records. */
export const unstatedTtlMs = 30_000;

/**
 * The questions that are asked of name servers. The same question is never asked twice at once: whoever asks
 * meanwhile gets the same answer. Each answer is waited for `timeoutMs`.
 */
export class Questions {
  readonly #resolver: Resolver;
  readonly #timeoutMs: number;
  readonly #ownServers: boolean;
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor({ servers, timeoutMs }: ResolverConfig) {
    // Two tries a server, the second twice as long, so that one lost packet does not use up the time.
    this.#resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 3), tries: 2 });
    this.#timeoutMs = timeoutMs;
    this.#ownServers = servers.length > 0;
    if (this.#ownServers) this.#resolver.setServers(servers);
  }

  /**
   * The addresses of a host in a stable order: what the hosts file says, or else the A and AAAA records, or
   * else, unless name servers are configured, what the system says (which knows search domains and mDNS).
   * Where one family's question fails, its `previous` addresses stand in for the answer.
   */
  async addresses(host: string, previous: readonly string[] = []): Promise<Answer<readonly string[]>> {
    if (isLocalhost(host) || (await listedInHostsFile(host))) return this.#systemAddresses(host);
    try {
      return await this.#records(host, previous);
    } catch (error) {
      if (this.#ownServers) throw error;
      return await this.#systemAddresses(host).catch(() => Promise.reject(error));
    }
  }

  /** The SRV records of a service; those whose target is the root say that there is none (RFC 2782). */
  async services(name: string): Promise<readonly SrvRecord[]> {
    const records = await this.#ask(`SRV ${name}`, () => this.#resolver.resolveSrv(name));
    const real = records.filter((record) => record.name !== '' && record.name !== '.');
    if (real.length === 0) throw new Error('The name has no SRV records');
    return real;
  }

  /** Drops all questions; they reject. */
  close(): void {
    this.#resolver.cancel();
  }

  async #records(host: string, previous: readonly string[]): Promise<Answer<readonly string[]>> {
    const [v4, v6] = await Promise.allSettled([
      this.#ask(`A ${host}`, () => this.#resolver.resolve4(host, { ttl: true })),
      this.#ask(`AAAA ${host}`, () => this.#resolver.resolve6(host, { ttl: true })),
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

  /** One question at a time of a kind: the system's resolver may hold a thread for long after we gave up. */
  async #ask<T>(question: string, ask: () => Promise<T>): Promise<T> {
    // The key says which question it is, and so of which type the answer.
    let answer = this.#underWay.get(question) as Promise<T> | undefined;
    if (answer === undefined) {
      answer = ask().finally(() => this.#underWay.delete(question));
      this.#underWay.set(question, answer);
    }
    return await within(this.#timeoutMs, answer);
  }
}

async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** RFC 6761, 6.3: such names are the system's own and never asked of a name server. */
function isLocalhost(host: string): boolean {
  return /(^|\.)localhost\.?$/i.test(host);
}

function ordered(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.map(canonicalAddress))].sort();
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
