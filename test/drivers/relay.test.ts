/**
 * Pairs of simulated sockets live thousands of random lives under the rules of `relay.ts`. What must hold is written from
 * what TCP promises to peers, not from the code: bytes in order and none twice, FIN behind all bytes, RST as RST, an
 * answer heard although its sender reads no more, one end for each link.
 */
import { describe, expect, it } from 'vitest';
import type { LinkEnd } from '../../src/core/contract.ts';
import * as relay from '../../src/drivers/relay.ts';
import { seeded } from '../support/seeded.ts';

/** How many bytes fit into a socket's buffers, and how many chunks wait for a slow reader. */
const room = 3;

/** The other end of a link's connection, with the kernel's buffers in between. */
class Peer {
  /** What it has sent and the link has not read: bytes, then perhaps an end. */
  readonly outgoing: (number | 'fin' | 'reset')[] = [];
  readonly heard: number[] = [];
  sentBytes = 0;
  isThrough = false;
  hasFinished = false;
  hasReset = false;
  /** It takes nothing more: what is sent to it fails. */
  isDeaf = false;
  heardEnd: 'fin' | 'reset' | undefined;
  unread = 0;

  send(): void {
    if (!this.isThrough) this.outgoing.push(this.sentBytes++);
  }

  finish(): void {
    if (this.isThrough) return;
    this.isThrough = true;
    this.hasFinished = true;
    this.outgoing.push('fin');
  }

  reset(): void {
    if (this.hasReset) return;
    this.isThrough = true;
    this.hasReset = true;
    this.isDeaf = true;
    this.outgoing.push('reset');
  }

  /** Closes without reading what is there: what comes from now on is answered with an error. */
  closeUnread(): void {
    this.finish();
    this.isDeaf = true;
  }
}

class FakeLink implements relay.Link<FakeLink> {
  marks = 0;
  end: LinkEnd | undefined;
  partner: FakeLink | undefined;
  readonly peer: Peer;
  readonly queue: number[] = [];
  readonly held: number[] = [];
  isUnderWay = false;
  isReading = false;
  closings = 0;
  wantsReset = false;
  isClosed = false;
  delivered = 0;
  resetWasTold = false;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  get isSending(): boolean {
    return this.queue.length > 0;
  }

  get hasRoom(): boolean {
    return this.queue.length < room;
  }

  get mayHold(): boolean {
    return this.held.length < room;
  }

  read(): void {
    if (relay.mayRead<FakeLink>(this)) this.isReading = true;
  }

  sendFin(): void {
    must(this.queue.length === 0, 'FIN behind all bytes');
    must(this.peer.heardEnd === undefined, 'one end');
    must(!relay.has<FakeLink>(this, relay.writeBroken | relay.closing), 'no FIN to who takes nothing');
    if (!this.peer.isDeaf) this.peer.heardEnd = 'fin';
  }

  finFollows(): void {
    must(this.isSending, 'FIN follows what is being sent');
  }

  dropQueue(): void {
    this.queue.length = this.isUnderWay ? 1 : 0;
  }

  closeWhenIdle(how: 'fin' | 'reset'): void {
    this.marks |= relay.closing;
    this.closings++;
    this.isReading = false;
    if (how === 'reset') this.wantsReset = true;
    if (this.wantsReset) this.dropQueue();
    this.closeIfIdle();
  }

  closeIfIdle(): void {
    if (this.isClosed || !relay.has<FakeLink>(this, relay.closing) || this.isUnderWay) return;
    this.isClosed = true;
    if (this.wantsReset && this.peer.heardEnd === undefined) this.peer.heardEnd = 'reset';
    relay.closed<FakeLink>(this);
  }

  /** The kernel has something of its peer, and the link is reading. */
  receive(): void {
    if (!this.isReading || this.isClosed) return;
    const next = this.peer.outgoing[0];
    if (next === undefined) return;
    this.peer.outgoing.shift();
    if (next === 'fin') {
      this.isReading = false;
      relay.readEnded<FakeLink>(this, 'fin');
    } else if (next === 'reset') {
      this.isReading = false;
      // An error is told once: to whichever call comes first.
      relay.readEnded<FakeLink>(this, this.resetWasTold ? 'fin' : 'reset');
    } else this.#take(next);
  }

  #take(byte: number): void {
    if (relay.has<FakeLink>(this, relay.discarding | relay.closing)) return;
    const to = this.partner;
    if (to === undefined) this.held.push(byte);
    else {
      must(to.queue.length < room, 'a sender is read only while there is room');
      to.queue.push(byte);
    }
    if (!relay.mayRead<FakeLink>(this)) this.isReading = false;
  }

  startSend(): void {
    if (this.queue.length > 0 && !relay.has<FakeLink>(this, relay.closing)) this.isUnderWay = true;
  }

  completeSend(): void {
    if (!this.isUnderWay) return;
    const { peer } = this;
    if (!peer.isDeaf && peer.unread >= room) return;
    this.isUnderWay = false;
    const byte = this.queue.shift();
    if (peer.isDeaf) {
      if (peer.hasReset) this.resetWasTold = true;
      if (relay.has<FakeLink>(this, relay.closing)) return this.closeIfIdle();
      return relay.writeFailed<FakeLink>(this, peer.hasReset);
    }
    // In order, none missing, none twice.
    must(byte === peer.heard.length, `byte ${byte} was heard as the ${peer.heard.length}th`);
    peer.heard.push(byte ?? -1);
    peer.unread++;
    this.delivered++;
    if (relay.has<FakeLink>(this, relay.closing)) return this.closeIfIdle();
    relay.sent<FakeLink>(this);
  }
}

function pair(): readonly [FakeLink, FakeLink] {
  const client = new FakeLink(new Peer());
  const backend = new FakeLink(new Peer());
  return [client, backend];
}

function joined(): readonly [FakeLink, FakeLink] {
  const [client, backend] = pair();
  join(client, backend);
  return [client, backend];
}

function join(client: FakeLink, backend: FakeLink): void {
  backend.queue.push(...client.held.splice(0));
  client.queue.push(...backend.held.splice(0));
  relay.join(client, backend);
}

/** Lets everything happen that can, without the peers doing anything further but to read. */
function settle(...links: readonly FakeLink[]): void {
  for (let turn = 0; turn < 60; turn++) {
    for (const link of links) {
      link.peer.unread = 0;
      link.receive();
      link.startSend();
      link.completeSend();
    }
  }
}

describe('A joined pair', () => {
  it('passes FIN on in each direction by itself, behind all bytes', () => {
    const [client, backend] = joined();
    for (let i = 0; i < 5; i++) client.peer.send();
    client.peer.finish();
    settle(client, backend);
    expect(backend.peer.heard).toEqual([0, 1, 2, 3, 4]);
    expect(backend.peer.heardEnd).toBe('fin');
    expect(client.isClosed).toBe(false);
    backend.peer.send();
    backend.peer.finish();
    settle(client, backend);
    expect(client.peer.heard).toEqual([0]);
    expect([client.end, backend.end]).toEqual(['finished', 'finished']);
    expect([client.isClosed, backend.isClosed]).toEqual([true, true]);
  });

  it('passes RST on behind the bytes that came before it', () => {
    const [client, backend] = joined();
    client.peer.send();
    client.peer.reset();
    settle(client, backend);
    expect(backend.peer.heard).toEqual([0]);
    expect(backend.peer.heardEnd).toBe('reset');
    expect([client.end, backend.end]).toEqual(['reset-by-peer', 'reset-with-partner']);
  });

  it('passes broken TLS on as RST, and finishes behind what tells the peer why', () => {
    const [client, backend] = joined();
    client.peer.send();
    client.receive();
    client.queue.push(0);
    relay.broken(client);
    for (let i = 0; i < 9; i++) client.peer.send();
    settle(client, backend);
    expect([client.peer.heard, client.peer.heardEnd, client.peer.outgoing]).toEqual([[0], 'fin', []]);
    expect([backend.peer.heard, backend.peer.heardEnd]).toEqual([[0], 'reset']);
    expect(client.isClosed).toBe(false);
    client.peer.finish();
    settle(client);
    expect([client.end, client.isClosed]).toEqual(['reset-by-peer', true]);
    expect(backend.end).toBe('reset-with-partner');
  });

  it('resets who is joined with one whose TLS is broken', () => {
    for (const isOfClient of [true, false]) {
      const [client, backend] = pair();
      const [one, other] = isOfClient ? [client, backend] : [backend, client];
      relay.broken(one);
      join(client, backend);
      settle(client, backend);
      expect([one.peer.heardEnd, other.peer.heardEnd]).toEqual(['fin', 'reset']);
      expect([one.isClosed, other.isClosed]).toEqual([false, true]);
    }
  });

  it('hears an answer although whoever sent it reads nothing', () => {
    const [client, backend] = joined();
    for (let i = 0; i < 6; i++) client.peer.send();
    for (let i = 0; i < 6; i++) backend.peer.send();
    backend.peer.closeUnread();
    // The send fails before the answer is read.
    for (let i = 0; i < 3; i++) {
      client.receive();
      backend.startSend();
      backend.completeSend();
    }
    client.peer.finish();
    settle(client, backend);
    expect(client.peer.heard).toEqual([0, 1, 2, 3, 4, 5]);
    expect(client.peer.heardEnd).toBe('fin');
    expect([client.end, backend.end]).toEqual(['finished', 'closed-early']);
  });

  it('hears the answer of a peer that has reset since, where the system still has it', () => {
    const [client, backend] = joined();
    client.peer.send();
    backend.peer.send();
    client.receive();
    backend.peer.reset();
    backend.startSend();
    backend.completeSend();
    settle(client, backend);
    expect(client.peer.heard).toEqual([0]);
    expect(client.peer.heardEnd).toBe('reset');
    expect(backend.end).toBe('reset-by-peer');
  });

  it('tells the core of the first FIN alone', () => {
    const [client, backend] = joined();
    expect(relay.readEnded(client, 'fin')).toBe(true);
    expect(relay.readEnded(backend, 'fin')).toBe(false);
  });

  it('reads a sender no further than its reader has room', () => {
    const [client, backend] = joined();
    for (let i = 0; i < 20; i++) client.peer.send();
    for (let i = 0; i < 20; i++) client.receive();
    expect(backend.queue.length).toBe(room);
    expect(client.isReading).toBe(false);
    backend.startSend();
    backend.completeSend();
    expect(client.isReading).toBe(true);
  });

  it('closes both with FIN by command, and throws away what still comes', () => {
    const [client, backend] = joined();
    client.peer.send();
    client.receive();
    relay.close(client, 'fin');
    for (let i = 0; i < 9; i++) client.peer.send();
    client.peer.finish();
    settle(client, backend);
    expect(backend.peer.heard).toEqual([0]);
    expect([client.peer.heardEnd, backend.peer.heardEnd]).toEqual(['fin', 'fin']);
    expect([client.isClosed, backend.isClosed]).toEqual([true, false]);
    relay.close(backend, 'reset');
    expect([client.end, backend.end, backend.isClosed]).toEqual(['closed', 'closed', true]);
  });

  it('is made with what was held and finished before, in both directions', () => {
    const [client, backend] = pair();
    for (const link of [client, backend]) {
      link.read();
      link.peer.send();
      link.receive();
      link.peer.finish();
      link.receive();
    }
    join(client, backend);
    settle(client, backend);
    expect([client.peer.heard, backend.peer.heard]).toEqual([[0], [0]]);
    expect([client.end, backend.end]).toEqual(['finished', 'finished']);
  });
});

describe('A joined pair, further', () => {
  it('delivers what is under way before RST goes on', () => {
    const [client, backend] = joined();
    for (let i = 0; i < 2; i++) {
      client.peer.send();
      client.receive();
    }
    backend.startSend();
    client.peer.reset();
    client.receive();
    expect([client.isClosed, backend.isClosed]).toEqual([true, false]);
    settle(backend);
    expect(backend.peer.heard).toEqual([0, 1]);
    expect([backend.peer.heardEnd, backend.isClosed]).toEqual(['reset', true]);
  });

  it('reads nothing of a peer behind its FIN', () => {
    const [client] = joined();
    client.peer.finish();
    client.receive();
    client.read();
    expect(client.isReading).toBe(false);
  });

  it('throws away what comes for a peer that takes nothing more, to the end', () => {
    const [client, backend] = joined();
    for (let i = 0; i < 20; i++) client.peer.send();
    for (let i = 0; i < 5; i++) client.receive();
    backend.startSend();
    backend.peer.isDeaf = true;
    backend.completeSend();
    client.receive();
    expect(backend.queue).toEqual([]);
    client.peer.finish();
    settle(client, backend);
    expect(client.peer.outgoing).toEqual([]);
    expect(backend.queue).toEqual([]);
  });

  it('closes a link whose send has failed once nothing of it is under way', () => {
    const [, backend] = joined();
    backend.queue.push(0);
    backend.startSend();
    relay.readEnded(backend, 'fin');
    relay.writeFailed(backend, false);
    expect(backend.closings).toBe(0);
    backend.isUnderWay = false;
    backend.queue.length = 0;
    relay.sent(backend);
    expect([backend.end, backend.isClosed]).toEqual(['closed-early', true]);
  });

  it('knows nothing of a partner that is closed', () => {
    const [client, backend] = joined();
    backend.queue.push(0);
    backend.startSend();
    client.peer.reset();
    client.receive();
    expect([client.isClosed, backend.isClosed]).toEqual([true, false]);
    expect(backend.partner).toBeUndefined();
  });

  it('that is being closed with FIN tells of no FIN, and resets who takes nothing', () => {
    const [client, backend] = joined();
    client.queue.push(0);
    client.startSend();
    relay.close(client, 'fin');
    client.peer.isDeaf = true;
    client.completeSend();
    expect([client.end, client.isClosed, backend.isClosed]).toEqual(['closed', true, false]);
    expect(relay.readEnded(backend, 'fin')).toBe(false);
  });

  it('that is being closed with FIN lets the one go its way when the other resets', () => {
    const [client, backend] = joined();
    backend.peer.send();
    backend.receive();
    client.startSend();
    relay.close(client, 'fin');
    backend.peer.reset();
    backend.receive();
    expect(backend.isClosed).toBe(true);
    client.peer.finish();
    settle(client);
    expect([client.peer.heard, client.peer.heardEnd, client.end]).toEqual([[0], 'fin', 'closed']);
  });

  it('that is being closed with FIN reads on whom it had stopped to read', () => {
    const [client, backend] = joined();
    for (let i = 0; i < 20; i++) client.peer.send();
    for (let i = 0; i < 20; i++) client.receive();
    expect(client.isReading).toBe(false);
    relay.close(client, 'fin');
    client.peer.finish();
    for (let i = 0; i < 40; i++) client.receive();
    expect([client.isClosed, backend.isClosed]).toEqual([true, false]);
  });
});

describe('A link that is not joined', () => {
  it('is read to its end once it is closed with FIN, however much is held', () => {
    const [link] = pair();
    link.read();
    for (let i = 0; i < 20; i++) link.peer.send();
    for (let i = 0; i < 20; i++) link.receive();
    expect(link.isReading).toBe(false);
    relay.close(link, 'fin');
    link.peer.finish();
    settle(link);
    expect([link.end, link.isClosed, link.peer.heardEnd]).toEqual(['closed', true, 'fin']);
  });

  it('is reset where its connection is still being made', () => {
    const [link] = pair();
    link.marks |= relay.dialing;
    relay.close(link, 'fin');
    expect([link.end, link.isClosed, link.wantsReset]).toEqual(['closed', true, true]);
  });

  it('is not sent FIN once it is being reset', () => {
    const [link] = pair();
    link.queue.push(0);
    link.startSend();
    relay.close(link, 'reset');
    relay.close(link, 'fin');
    link.isUnderWay = false;
    link.queue.length = 0;
    link.closeIfIdle();
    expect([link.peer.heardEnd, link.isClosed]).toEqual(['reset', true]);
  });

  it('ends as reset by its peer', () => {
    const [link] = pair();
    link.read();
    link.peer.reset();
    link.receive();
    expect([link.end, link.isClosed]).toEqual(['reset-by-peer', true]);
  });
});

const lives = Number(process.env['SLUICE_TORTURE'] ?? 20_000);
const firstSeed = Number(process.env['SLUICE_SEED'] ?? 1);

it(`${lives} random lives of a pair keep what TCP promises`, () => {
  for (let seed = firstSeed; seed < firstSeed + lives; seed++) live(seed);
});

function live(seed: number): void {
  const random = seeded(seed);
  const [client, backend] = pair();
  client.read();
  let isJoined = false;
  let isCommanded = false;
  try {
    const steps = 20 + Math.floor(random() * 60);
    for (let step = 0; step < steps; step++) {
      const link = random() < 0.5 ? client : backend;
      if (!isJoined && (random() < 0.3 || link === backend)) {
        if (client.isClosed) return;
        isJoined = true;
        join(client, backend);
      }
      const what = random();
      if (what < 0.25) link.peer.send();
      else if (what < 0.3) link.peer.finish();
      else if (what < 0.31) link.peer.reset();
      else if (what < 0.33) link.peer.closeUnread();
      else if (what < 0.34 && !link.isClosed) {
        isCommanded = true;
        relay.close(link, random() < 0.5 ? 'fin' : 'reset');
      } else if (what < 0.55) link.receive();
      else if (what < 0.7) link.startSend();
      else if (what < 0.9) link.completeSend();
      else link.peer.unread = 0;
      check(client, backend, isCommanded);
    }
    if (!isJoined) return;
    for (const { peer } of [client, backend]) peer.finish();
    settle(client, backend);
    // As the core would, where one of the two takes nothing.
    for (const link of [client, backend]) if (!link.isClosed) relay.close(link, 'reset');
    settle(client, backend);
    check(client, backend, isCommanded);
    must(client.isClosed && backend.isClosed, 'both are closed in the end');
    if (!isCommanded) checkEnds(client, backend);
  } catch (error) {
    throw new Error(`SLUICE_SEED=${seed}`, { cause: error });
  }
}

/** What holds at any time. */
function check(client: FakeLink, backend: FakeLink, isCommanded: boolean): void {
  for (const [from, to] of bothWays(client, backend)) {
    must(to.queue.length <= 2 * room, 'what waits is bounded');
    must(!to.isClosed || to.end !== undefined, 'what is closed has an end');
    const isWhole = !isCommanded && !relay.has(from, relay.writeBroken | relay.discarding);
    if (to.peer.heardEnd === 'fin' && isWhole)
      must(to.peer.heard.length === from.peer.sentBytes, 'FIN behind all bytes');
  }
}

/** What holds at the end of a pair that the core did not close. */
function checkEnds(client: FakeLink, backend: FakeLink): void {
  if (!client.peer.isDeaf && !backend.peer.isDeaf)
    must(client.end === 'finished' && backend.end === 'finished', 'both have finished');
  for (const [from, to] of bothWays(client, backend)) {
    // Once FIN came nothing is read any more, so that an RST behind it goes unnoticed.
    if (from.end === 'finished') must(from.peer.hasFinished, 'only who sends FIN has finished');
    const wasHeard = from.peer.hasFinished && !from.peer.hasReset && !to.peer.isDeaf;
    if (wasHeard) must(to.peer.heard.length === from.peer.sentBytes, 'who finished was heard in full');
    const isCut = from.end === 'reset-by-peer' && to.end !== 'finished' && !to.peer.isDeaf;
    if (isCut) must(to.peer.heardEnd !== undefined, 'who is left learns of it');
    if (from.end === 'reset-by-peer' && to.end === 'reset-with-partner' && !to.peer.isDeaf)
      must(to.peer.heardEnd !== 'fin' || relay.has(to, relay.finSent), 'RST is passed on as RST');
  }
}

function bothWays(client: FakeLink, backend: FakeLink): readonly (readonly [FakeLink, FakeLink])[] {
  return [
    [client, backend],
    [backend, client],
  ];
}

/** Cheap enough for a million looks. */
function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`Broken: ${rule}`);
}
