/** Which clients of a listener have most connections: for people. */
import { addressText, isIpv4, networkWords } from './addresses.ts';
import type { ListenerSlot } from './contract.ts';
import type { AddressWords } from './ledger/client-table.ts';
import type { Ledger } from './ledger/ledger.ts';

export interface BusyClients {
  /** How many clients have a connection. */
  readonly clients: number;
  /** Those with most, in that order. */
  readonly busiest: readonly BusyClient[];
}

export interface BusyClient {
  /** An address, or a network of IPv6 whose clients count as one; `unix` for all that came over a unix socket. */
  readonly client: string;
  readonly connections: number;
}

/** Looks at the whole table; the lock, which workers want, is held for those that are told alone. */
export function busiestClients(
  { clients, lock }: Ledger,
  listener: { readonly slot: ListenerSlot; readonly ipv6Prefix: number },
  most: number,
): BusyClients {
  const places = clients.inUse(listener.slot);
  const first = places
    .map((place) => ({ place, connections: clients.active.relaxed(place) }))
    .sort((one, other) => other.connections - one.connections)
    .slice(0, most);
  lock.acquire();
  const found = first.map(({ place, connections }) => ({
    words: clients.clientAt(place, listener.slot),
    connections,
  }));
  lock.release();
  return {
    clients: places.length,
    busiest: found.flatMap(({ words, connections }) =>
      words === undefined ? [] : [{ client: clientText(words, listener.ipv6Prefix), connections }],
    ),
  };
}

function clientText(words: AddressWords, ipv6Prefix: number): string {
  if (words.every((word) => word === 0)) return 'unix';
  // Some addresses are networks of their own, whatever the prefix.
  const isNetwork = !isIpv4(words) && ipv6Prefix < 128 && networkWords(words, 0) !== words;
  return isNetwork ? `${addressText(words)}/${ipv6Prefix}` : addressText(words);
}
