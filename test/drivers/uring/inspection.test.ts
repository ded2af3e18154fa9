/**
 * Unruly connections whose first bytes are looked at, forgotten in part and announced in a preamble: each dial's
 * preamble is the head of the stream that is left, so that a backend can check it like any other.
 */
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Address, SessionId } from '../../../src/core/contract.ts';
import { createUringDriver, type UringDriver } from '../../../src/drivers/uring/driver.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { inTime } from '../../conformance/peers.ts';
import { type DriverEvent, Rig } from '../../conformance/rig.ts';
import { dice, headBehind, headBytes, isBehind, misbehave } from '../../support/unruly.ts';

const connections = Number(process.env['SLUICE_TORTURE'] ?? 2_000);
const atOnce = 100;
const reason = whyNot();

test.runIf(reason === undefined)(
  `Uring driver keeps ${connections} unruly connections whole while they are inspected`,
  { timeout: 30_000 + connections * 20 },
  async () => {
    const seed = Number(process.env['SLUICE_SEED'] ?? randomInt(2 ** 31));
    const claim = `seed ${seed}`;
    let driver: UringDriver | undefined;
    const rig = new Rig((host) => {
      driver = createUringDriver(host, 'event-loop');
      return driver;
    });
    const broken: string[] = [];
    const complain = (what: string): void => void broken.push(what);
    let served = 0;
    const target = await rig.backend((socket) => void misbehave(socket, dice(seed ^ ++served), complain));
    rig.target = undefined;
    const brain = new Brain(rig, target, dice(~seed), complain);
    rig.onEvent = (event) => brain.handle(event);
    const address = await rig.listen();
    let begun = 0;
    const visitor = async (): Promise<void> => {
      while (begun < connections) {
        const number = ++begun;
        const client = await rig.client(address);
        await inTime(misbehave(client, dice(seed + number * 7_919), complain), `end (${claim})`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, visitor));
    await rig.until(`every session ended (${claim})`, () => rig.openSessions === 0);
    expect(broken, claim).toEqual([]);
    expect(rig.violations, claim).toEqual([]);
    expect(driver?.held, claim).toEqual({ sessions: 0, connections: 0, buffers: 0 });
    expect(brain.dials, claim).toBeGreaterThan(connections / 3);
    await rig.dispose();
  },
);

/** Looks at a client's first bytes some times, forgets some of them, and dials, in part in vain. */
class Brain {
  dials = 0;
  readonly #rig: Rig;
  readonly #target: Address;
  readonly #random: () => number;
  readonly #complain: (what: string) => void;
  readonly #arrivals = new Map<SessionId, Arrival>();

  constructor(rig: Rig, target: Address, random: () => number, complain: (what: string) => void) {
    this.#rig = rig;
    this.#target = target;
    this.#random = random;
    this.#complain = complain;
  }

  handle(event: DriverEvent): void {
    const { session } = event;
    const arrival = this.#arrivals.get(session);
    switch (event.kind) {
      case 'accepted':
        this.#arrivals.set(session, { asked: true, hasFinished: false, dialed: false });
        return this.#rig.inspect(session, headBytes - 1);
      case 'received':
        // The rig keeps what nobody takes.
        void this.#rig.event('received');
        return this.#received(session, event.bytes);
      case 'half-closed':
        if (arrival === undefined || arrival.dialed) return;
        arrival.hasFinished = true;
        if (arrival.head === undefined)
          return this.#rig.close(session, this.#random() < 0.5 ? 'fin' : 'reset');
        return this.#dial(session, arrival);
      case 'dialed':
        if (arrival !== undefined && this.#random() < 0.2) {
          this.#rig.execute({ kind: 'abort-dial', session });
          this.#dial(session, arrival);
        }
        return;
      case 'dial-failed':
        return this.#rig.close(session, 'reset');
      case 'ended':
        this.#arrivals.delete(session);
    }
  }

  #received(session: SessionId, bytes: Uint8Array): void {
    const arrival = this.#arrivals.get(session);
    if (arrival === undefined || !arrival.asked || arrival.dialed || arrival.hasFinished) {
      return this.#complain('bytes that nobody asked for, or behind the FIN');
    }
    arrival.asked = false;
    let rest = bytes;
    if (arrival.head === undefined) {
      arrival.head = bytes.slice(0, headBytes);
      const first = Math.floor(this.#random() * (headBytes + 1));
      for (const part of [first, headBytes - first]) this.#rig.discard(session, part);
      rest = bytes.subarray(headBytes);
    }
    if (!isBehind(arrival.head, rest)) this.#complain(`${rest.length} bytes shown wrong`);
    const discarded = this.#random() < 0.5 ? Math.floor(this.#random() * (rest.length + 1)) : 0;
    this.#rig.discard(session, discarded);
    arrival.head = headBehind(arrival.head, discarded);
    const left = rest.length - discarded;
    if (this.#random() < 0.3) return this.#dial(session, arrival);
    arrival.asked = true;
    const more = this.#random() < 0.5 ? 0 : Math.floor(this.#random() * 40_000);
    this.#rig.inspect(session, this.#random() < 0.3 ? 0 : Math.min(left + more, 60_000));
  }

  #dial(session: SessionId, arrival: Arrival): void {
    const { head } = arrival;
    if (head === undefined) return;
    arrival.dialed = true;
    this.dials++;
    this.#rig.dial(session, this.#target, { preamble: head });
  }
}

interface Arrival {
  asked: boolean;
  hasFinished: boolean;
  dialed: boolean;
  /** Of the stream that is left. */
  head?: Uint8Array;
}
