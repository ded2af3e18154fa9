/**
 * Backends that are the listener itself: each of their connections would open another one, until descriptors run out.
 * A loop that leads through a name or through another proxy is not seen here.
 */
import { hostname, networkInterfaces } from 'node:os';
import type { Address } from '../core/contract.ts';
import { formatAddress } from './addresses.ts';
import type { Target } from './config.ts';
import type { Location } from './location.ts';
import type { LocatedAddress } from './options/bind.ts';

export interface ListenerEnds {
  readonly name: string;
  readonly binds: readonly LocatedAddress[];
  /** The backends of all pools that it leads to. */
  readonly backends: readonly { readonly target: Target; readonly location: Location }[];
}

/**
 * Reports a backend that is its own listener, and warns of one that is so on this machine, or by way of other
 * listeners: their routes may tell the connections apart.
 */
export function checkLoops(listeners: readonly ListenerEnds[]): void {
  const listening = new ListenersByAddress(listeners);
  const ways = listeners.map(({ backends }) =>
    backends.flatMap(({ target, location }) => {
      const found = listening.at(target);
      return found === undefined ? [] : [{ ...found, location }];
    }),
  );
  for (const [index, { name }] of listeners.entries()) {
    for (const { listener, bind, isCertain, location } of ways[index] ?? []) {
      if (listener !== index) continue;
      const itself = `itself, on ${bind.location.described(formatAddress(bind.address))}`;
      if (isCertain)
        location.problem(`Expected a server behind listener "${name}", found the listener ${itself}`);
      else location.warn(`On this machine, this is listener "${name}" ${itself}`);
    }
    lastStepOfLoop(index, ways)?.location.warn(`Leads back to listener "${name}"`);
  }
}

interface Step {
  /** The listener that it leads to, by its index in the file. */
  readonly listener: number;
  readonly location: Location;
}

/** The step that closes the shortest loop over later listeners: so each loop is told at its first one alone. */
function lastStepOfLoop(first: number, ways: readonly (readonly Step[])[]): Step | undefined {
  const reached = new Set(ways[first]?.map(({ listener }) => listener).filter((one) => one > first));
  // The loop also visits those that are added to the set while it runs.
  for (const listener of reached) {
    for (const step of ways[listener] ?? []) {
      if (step.listener === first) return step;
      if (step.listener > first) reached.add(step.listener);
    }
  }
  return undefined;
}

interface BoundListener {
  readonly listener: number;
  readonly bind: LocatedAddress;
}

interface FoundListener extends BoundListener {
  /** True if it is so on every machine, not on this one alone. */
  readonly isCertain: boolean;
}

/** Which listener answers at an address. */
class ListenersByAddress {
  readonly #byAddress = new Map<string, BoundListener>();
  readonly #ownAddresses = new Set(
    Object.values(networkInterfaces()).flatMap((some) => some?.map(({ address }) => address) ?? []),
  );

  constructor(listeners: readonly ListenerEnds[]) {
    for (const [listener, { binds }] of listeners.entries()) {
      for (const bind of binds) {
        const { address } = bind;
        const key = 'path' in address ? address.path : keyOf(address.host, address.port);
        if (!this.#byAddress.has(key)) this.#byAddress.set(key, { listener, bind });
      }
    }
  }

  at(target: Target): FoundListener | undefined {
    const address = addressOf(target);
    if (address === undefined) return undefined;
    if ('path' in address) {
      const found = this.#byAddress.get(address.path);
      return found && { ...found, isCertain: true };
    }
    const host = dialed(address.host);
    const itself = this.#byAddress.get(keyOf(host, address.port));
    if (itself !== undefined) return { ...itself, isCertain: true };
    const everywhere =
      this.#byAddress.get(keyOf('::', address.port)) ??
      (host.includes(':') ? undefined : this.#byAddress.get(keyOf('0.0.0.0', address.port)));
    const isLoopback = host.startsWith('127.') || host === '::1';
    const isOwn = isLoopback || host === ownName || this.#ownAddresses.has(host.replace(/%.*$/, ''));
    return everywhere && isOwn ? { ...everywhere, isCertain: isLoopback } : undefined;
  }
}

function keyOf(host: string, port: number): string {
  return `${withoutPrefix(host)} ${port}`;
}

/** A dial to the unspecified address reaches the loopback. */
function dialed(host: string): string {
  const loopbacks: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return loopbacks[host] ?? withoutPrefix(host);
}

/** An IPv4 address as itself, where it is written as an IPv6 one. */
function withoutPrefix(host: string): string {
  return host.replace(/^::ffff:(?=[0-9]+\.)/, '');
}

/** A name stands for an address here only where it is this machine's. */
function addressOf(target: Target): Address | undefined {
  if (target.kind === 'address') return target.address;
  if (target.kind !== 'name') return undefined;
  const name = target.name.replace(/\.$/, '');
  if (name === hostname().toLowerCase()) return { host: ownName, port: target.port };
  return loopbackNames.test(name) ? { host: '127.0.0.1', port: target.port } : undefined;
}

/** The names of this machine, each of which may mean any of its addresses. */
const ownName = '';

/** RFC 6761, 6.3, and what Linux distributions have in their /etc/hosts. */
const loopbackNames =
  /^(?:(?:.*\.)?localhost|localhost\.localdomain|localhost[46]|ip6-(?:localhost|loopback))$/;
