/**
 * A service as its SRV records describe it (RFC 2782). Each priority has its rank: addresses of a rank are asked only
 * while none of the ranks before can serve. The record's weight is the address's, 0 counting as 1. A host that cannot
 * be resolved keeps its last known addresses and does not stop the others.
 */
import type { SrvRecord } from 'node:dns';
import type { Provider, TargetAddress } from '../provider.ts';
import type { Answer } from '../watch.ts';
import { readable } from './failure.ts';
import { type Questions, unstatedTtlMs } from './questions.ts';

export const serviceRecords: Provider<'srv'> = ({ name }, { questions }) => {
  const service = new ServiceRecords(name, questions);
  return () => service.lookup().catch((error: unknown) => Promise.reject(readable(error)));
};

type Hosts = ReadonlyMap<string, readonly string[]>;

class ServiceRecords {
  readonly #name: string;
  readonly #questions: Questions;
  #known: Hosts = new Map();

  constructor(name: string, questions: Questions) {
    this.#name = name;
    this.#questions = questions;
  }

  /** Rejects where no address is to be had. Answers hold 30 s or less: Node does not tell a SRV record's TTL. */
  async lookup(): Promise<Answer<readonly TargetAddress[]>> {
    const records = await this.#questions.services(this.#name, this.#known.size > 0);
    const hosts = [...new Set(records.map(({ name }) => name))];
    const answers = await Promise.all(hosts.map((host) => this.#addresses(host)));

    this.#known = new Map(answers.map(({ host, value }) => [host, value]));
    const value = addresses(records, this.#known);
    const problem = answers.find((answer) => answer.problem !== undefined)?.problem;
    if (value.length === 0) throw new Error(problem);
    return { value, ttlMs: Math.min(...answers.map(({ ttlMs }) => ttlMs)), problem };
  }

  async #addresses(host: string): Promise<Answer<readonly string[]> & { readonly host: string }> {
    const known = this.#known.get(host);
    try {
      const { value, ttlMs } = await this.#questions.addresses(whole(host), known);
      return { host, value, ttlMs: Math.min(ttlMs, unstatedTtlMs) };
    } catch (error) {
      const problem = `${host}: ${readable(error).message}`;
      return { host, value: known ?? [], ttlMs: unstatedTtlMs, problem };
    }
  }
}

/** A record says a host's whole name, which search domains have nothing to add to. */
function whole(host: string): string {
  return host.endsWith('.') ? host : `${host}.`;
}

function addresses(records: readonly SrvRecord[], hosts: Hosts): readonly TargetAddress[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  const ordered = records.toSorted((a, b) => a.priority - b.priority || a.port - b.port);
  const byText = new Map<string, TargetAddress>();
  for (const { name, port, priority, weight } of ordered) {
    for (const host of hosts.get(name) ?? []) {
      const text = `${host} ${port}`;
      // Two records that lead to one address count once: the one with the lower priority.
      if (byText.has(text)) continue;
      byText.set(text, {
        address: { host, port },
        hostName: name,
        weight: Math.max(1, weight),
        rank: priorities.indexOf(priority),
      });
    }
  }
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address);
}
