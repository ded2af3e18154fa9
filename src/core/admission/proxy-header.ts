/** PROXY protocol: the header by which a proxy in front of us says who its client is. */
import { contains } from '../access/address-set.ts';
import { Endpoint } from '../net/endpoint.ts';
import type { ListenerPolicy, ProxyProtocolPolicy } from '../plan.ts';
import { ProxyHeaderParser } from '../wire/proxy-reading.ts';
import { type Gate, refusal, type Verdict, type WaitingClient } from './gate.ts';
import { noBytes, type PendingClient } from './pending-client.ts';

/** Whether a header of this peer would be read. */
export function mayAnnounce(
  { proxyProtocol }: Pick<ListenerPolicy, 'proxyProtocol'>,
  peer: Endpoint,
): boolean {
  if (proxyProtocol === 'off') return false;
  const { from, fromUnix } = proxyProtocol;
  return peer.words === undefined ? fromUnix : contains(from, peer.words);
}

/** Refuses peers whose header nobody believes, where one is required. */
export const headerSource: Gate = {
  appliesTo: ({ policy }) => policy.proxyProtocol !== 'off',
  enter({ listener, endpoint }) {
    const { policy } = listener.plan;
    const { proxyProtocol } = policy;
    if (proxyProtocol === 'off' || proxyProtocol.mode === 'optional' || mayAnnounce(policy, endpoint))
      return 'passes';
    return refusal('bad-proxy-header', 'The peer is not in proxyProtocol.from');
  },
};

export const proxyHeader: Gate = {
  appliesTo: ({ policy }) => policy.proxyProtocol !== 'off',
  enter(client, nowMs) {
    const { policy } = client.listener.plan;
    const { proxyProtocol } = policy;
    if (proxyProtocol === 'off' || !mayAnnounce(policy, client.endpoint)) return 'passes';
    client.inspect();
    return new AwaitedHeader(client, proxyProtocol, nowMs + proxyProtocol.timeoutMs);
  },
};

class AwaitedHeader implements WaitingClient {
  readonly waitsFor = 'proxy-header';
  readonly dueMs: number;
  readonly #client: PendingClient;
  readonly #policy: ProxyProtocolPolicy;
  readonly #parser = new ProxyHeaderParser();

  constructor(client: PendingClient, policy: ProxyProtocolPolicy, dueMs: number) {
    this.#client = client;
    this.#policy = policy;
    this.dueMs = dueMs;
  }

  received(bytes: Uint8Array): Verdict {
    const client = this.#client;
    const found = this.#parser.read(bytes);
    switch (found.state) {
      case 'incomplete':
        return client.inspect();
      case 'broken':
        return refusal('bad-proxy-header', 'The header is malformed');
      case 'mismatch':
        return this.#policy.mode === 'optional'
          ? 'passes'
          : refusal('bad-proxy-header', 'The first bytes are no header');
      case 'complete':
        client.discard(found.length);
        if (found.header.source === 'proxied') {
          const { address, port } = found.header.client;
          client.announced = found.header;
          client.endpoint = Endpoint.parse(address, port) ?? Endpoint.unix;
        }
        return 'passes';
    }
  }

  finished(): Verdict {
    return this.#without('The client has finished before its header was complete');
  }

  expired(): Verdict {
    return this.#without('The header was not complete in time');
  }

  #without(detail: string): Verdict {
    if (this.#policy.mode === 'required' || this.#parser.begun) return refusal('bad-proxy-header', detail);
    this.#client.held = noBytes;
    return 'passes';
  }
}
