/**
 * TLS between two ends in real buffers that no kernel fills: bytes are carried by hand, in pieces of any size, whole or
 * damaged, with plenty of buffers or hardly any. SLUICE_FUZZ is how many lives of a connection there are.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { TicketKeys } from '../../../src/drivers/ticket-keys.ts';
import type { StartTls } from '../../../src/drivers/tls/engine.ts';
import * as ssl from '../../../src/drivers/tls/openssl/constants.ts';
import { OpenSslEngine } from '../../../src/drivers/tls/openssl/engine.ts';
import { loadLibrary } from '../../../src/drivers/tls/openssl/library.ts';
import { whyNotOpenSsl } from '../../../src/drivers/tls/openssl/probe.ts';
import { Buffers, type Chunk, smallBytes, smallReceivedBytes } from '../../../src/drivers/uring/buffers.ts';
import { ByteQueue, ByteQueues } from '../../../src/drivers/uring/byte-queue.ts';
import { type Libc, loadLibc } from '../../../src/drivers/uring/libc.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { Ring } from '../../../src/drivers/uring/ring.ts';
import { noChunk, TlsChannel } from '../../../src/drivers/uring/tls-channel.ts';
import { listenerTls } from '../../core/harness.ts';
import { authority } from '../../support/certificate.ts';
import { seeded } from '../../support/seeded.ts';

const ca = authority('an authority');
const certificate = ca.issue({ names: ['service.example'] });
const proxy = ca.issue({ commonName: 'a client' });
const server: StartTls = {
  kind: 'start-tls',
  link: 0,
  as: 'server',
  tls: {
    ...listenerTls,
    certificates: [certificate],
    alpn: ['one', 'two'],
    clientAuth: 'optional',
    clientCa: ca.cert,
  },
  serverName: 'service.example',
};
const client: Extract<StartTls, { readonly as: 'client' }> = {
  kind: 'start-tls',
  link: 1,
  as: 'client',
  tls: { servername: undefined, ca: ca.cert, verify: true, ...proxy },
  address: { host: '127.0.0.1', port: 443 },
  serverName: 'service.example',
  first: undefined,
};

/** Of eight, the kernel has seven. */
const plenty = { small: 512, large: 0, reserve: 8, cells: 16 };
const hardlyAny = { small: 40, large: 0, reserve: 8, cells: 1 };

class Machine {
  readonly buffers: Buffers;
  readonly queues = new ByteQueues();
  readonly engine = new OpenSslEngine(new TicketKeys(), () => 0);
  /** No connection is ever short of buffers. */
  readonly isAmple: boolean;
  readonly #libc: Libc;

  constructor(bounds: typeof plenty) {
    this.isAmple = bounds === plenty;
    this.#libc = loadLibc();
    this.buffers = new Buffers(this.#libc, new Ring(this.#libc, 8, 16), bounds);
  }

  end(command: StartTls): End {
    const connection = this.engine.connection(command);
    if (connection === undefined) throw new Error('The certificates are none');
    return new End(new TlsChannel(connection, this.buffers, this.queues), this.buffers);
  }
}

/** What a link is for its channel. */
class End {
  readonly channel: TlsChannel;
  /** What has come, plain. */
  plain = '';
  hasFinished = false;
  readonly #buffers: Buffers;
  readonly #queue = new ByteQueue();
  #sentBytes = 0;

  constructor(channel: TlsChannel, buffers: Buffers) {
    this.channel = channel;
    this.#buffers = buffers;
  }

  get isOver(): boolean {
    return this.channel.tls.failure !== undefined || this.channel.ending !== 'none';
  }

  begin(): void {
    this.channel.step();
  }

  finish(): void {
    this.hasFinished = true;
    this.channel.finish();
  }

  /** Returns whether there was a buffer for it. */
  take(bytes: Uint8Array): boolean {
    const chunk = this.#filled(bytes);
    if (chunk === undefined) return false;
    if (this.isOver) {
      this.#buffers.giveBack(chunk);
      return true;
    }
    this.channel.keep(chunk, bytes.length);
    if (!this.channel.isEstablished) this.channel.step();
    let goesOn = this.channel.isEstablished;
    while (goesOn && this.channel.incomingBytes > 0) goesOn = this.channel.open();
    for (let opened = this.channel.shiftOpened(); opened !== noChunk; opened = this.channel.shiftOpened()) {
      this.plain += Buffer.from(this.#buffers.view(opened, 0)).toString('latin1');
      this.#buffers.giveBack(opened);
    }
    return this.channel.incomingBytes === 0 || this.isOver;
  }

  /** Returns whether there was a buffer for it. */
  send(bytes: Uint8Array, sentBytes: number): boolean {
    const chunk = this.#filled(bytes);
    if (chunk === undefined) return false;
    this.#queue.append(chunk, bytes.length, this.#buffers);
    this.#sentBytes = sentBytes;
    return true;
  }

  /** What is sealed of what was sent, and not carried yet. */
  sealedFirst(): ByteQueue {
    this.#seal();
    const { sealed } = this.channel;
    if (sealed === undefined) throw new Error('Nothing is sealed');
    return sealed;
  }

  #seal(): void {
    if (this.channel.sealed === undefined && !this.#queue.isEmpty && this.channel.isEstablished)
      this.channel.seal(this.#queue, this.#sentBytes);
  }

  /** All that its peer is to get. */
  sealed(): Buffer {
    const parts: Buffer[] = [];
    this.#seal();
    for (let { sealed } = this.channel; sealed !== undefined; { sealed } = this.channel) {
      parts.push(Buffer.from(this.#buffers.view(sealed.first, 0)));
      this.channel.dropSent();
      this.#seal();
    }
    return Buffer.concat(parts);
  }

  free(): void {
    this.#queue.clear(this.#buffers);
    this.channel.free();
  }

  #filled(bytes: Uint8Array): Chunk | undefined {
    const chunk = this.#buffers.borrow(smallBytes);
    if (chunk === undefined) return undefined;
    // As if the kernel had filled it.
    this.#buffers.starts[chunk] = smallBytes - smallReceivedBytes;
    this.#buffers.lengths[chunk] = bytes.length;
    this.#buffers.view(chunk, 0).set(bytes);
    return chunk;
  }
}

/** Between two ends, that may be bad. */
class Network {
  readonly #random: () => number;
  readonly #damage: number;

  constructor(random: () => number, damage: number) {
    this.#random = random;
    this.#damage = damage;
  }

  /** Returns whether anything was carried. */
  carry(from: End, to: End): boolean {
    const bytes = from.sealed();
    for (let at = 0; at < bytes.length; ) {
      const size =
        this.#random() < 0.5 ? smallReceivedBytes : 1 + Math.floor(this.#random() ** 3 * smallReceivedBytes);
      if (!to.take(this.#perhapsDamaged(bytes.subarray(at, at + size)))) return false;
      at += size;
    }
    return bytes.length > 0;
  }

  #perhapsDamaged(piece: Uint8Array): Uint8Array {
    if (this.#random() >= this.#damage) return piece;
    const at = Math.floor(this.#random() * piece.length);
    const kind = Math.floor(this.#random() * 4);
    if (kind === 0) return Buffer.concat([piece.subarray(0, at), piece.subarray(at + 1), Buffer.of(0)]);
    if (kind === 1) return piece.subarray(0, Math.max(1, at));
    if (kind === 2) return Buffer.concat([piece.subarray(0, at), piece]).subarray(0, smallReceivedBytes);
    const changed = Buffer.from(piece);
    changed[at] = Math.floor(this.#random() * 256);
    return changed;
  }
}

/** A connection's whole life: handshake, bytes both ways, an end. */
function live(machine: Machine, random: () => number, damage: number): void {
  const [a, b] = [machine.end(client), machine.end(server)];
  const network = new Network(random, damage);
  const sent = { a: '', b: '' };
  a.begin();
  while (network.carry(a, b) || network.carry(b, a));
  // Behind the first bytes, records are long ones.
  const sentBytes = random() < 0.5 ? 0 : 1_000_000;
  for (let turns = Math.floor(random() * 8); turns > 0; turns--) {
    const [from, to, side] = random() < 0.5 ? ([a, b, 'a'] as const) : ([b, a, 'b'] as const);
    if (!from.channel.isEstablished || from.isOver) break;
    if (from.hasFinished) continue;
    for (let messages = 1 + Math.floor(random() * 3); messages > 0; messages--) {
      const size = 1 + Math.floor((random() < 0.5 ? 1 : random() ** 2) * (smallReceivedBytes - 1));
      const message = Buffer.alloc(size, String.fromCharCode(97 + Math.floor(random() * 26)));
      if (from.send(message, sentBytes)) sent[side] += message.toString();
    }
    network.carry(from, to);
    network.carry(to, from);
    if (random() < 0.1) from.finish();
    network.carry(from, to);
  }
  const isWhole = damage === 0 && machine.isAmple;
  expect(sent.a.startsWith(b.plain)).toBe(true);
  expect(sent.b.startsWith(a.plain)).toBe(true);
  if (isWhole) expect([a.channel.isEstablished, a.plain, b.plain]).toEqual([true, sent.b, sent.a]);
  a.free();
  b.free();
  expect(machine.buffers.inUse).toBe(0);
}

const lives = Number(process.env['SLUICE_FUZZ'] ?? 200);
const seed = Number(process.env['SLUICE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe.skipIf(whyNot() !== undefined || whyNotOpenSsl() !== undefined)(`TlsChannel (seed ${seed})`, () => {
  const machines = { plenty: new Machine(plenty), 'hardly any': new Machine(hardlyAny) };
  afterAll(() => {
    for (const { engine } of Object.values(machines)) engine.close();
  });

  /** Both ends, once they are established. */
  function established(server: StartTls): { readonly a: End; readonly b: End } {
    const [a, b] = [machines.plenty.end(client), machines.plenty.end(server)];
    const network = new Network(Math.random, 0);
    a.begin();
    while (network.carry(a, b) || network.carry(b, a));
    expect([a.channel.isEstablished, b.channel.isEstablished]).toEqual([true, true]);
    return { a, b };
  }

  it('says close_notify in the chunk of the last bytes, and once', () => {
    const { a, b } = established(server);
    b.send(Buffer.from('the last'), 0);
    const sealed = b.sealedFirst();
    b.channel.finishInFirst();
    expect(sealed.count).toBe(1);
    b.channel.finish();
    expect(sealed.count).toBe(1);
    new Network(Math.random, 0).carry(b, a);
    expect([a.plain, a.channel.ending]).toEqual(['the last', 'notified']);
    a.free();
    b.free();
  });

  it('seals long records once a ticket was read, which leaves a buffer for short ones', () => {
    const { a, b } = established(server);
    const message = Buffer.alloc(smallReceivedBytes, 'x');
    a.send(message, 1_000_000);
    new Network(Math.random, 0).carry(a, b);
    expect([a.channel.tls.failure, b.plain]).toEqual([undefined, message.toString()]);
    a.free();
    b.free();
  });

  it('says close_notify in a chunk of its own where there is no room behind the last bytes', () => {
    const { a, b } = established(server);
    b.send(Buffer.alloc(smallReceivedBytes, 'x'), 0);
    const sealed = b.sealedFirst();
    const { bytes } = sealed;
    sealed.lengthenFirst(smallBytes - bytes - 1, machines.plenty.buffers);
    b.channel.finishInFirst();
    expect(b.channel.isFinished).toBe(false);
    b.channel.finish();
    expect(sealed.count).toBe(2);
    a.free();
    b.free();
  });

  it.each([
    ['TLSv1.3', 'has spoken', true],
    ['TLSv1.3', 'is silent', false],
    ['TLSv1.2', 'has spoken', false],
  ] as const)(
    'knows of %s, where the client %s, whether the end of its handshake may wait for what follows: %s',
    (version, says, may) => {
      // A session that is resumed gets no new tickets, and settings of its own have none.
      const anew: StartTls = { ...client, tls: { ...client.tls } };
      const [a, b] = [machines.plenty.end(anew), machines.plenty.end(server)];
      // SSL_CTRL_SET_MAX_PROTO_VERSION of openssl/ssl.h.
      if (version === 'TLSv1.2')
        loadLibrary().openSsl.SSL_ctrl(b.channel.tls.pointer, 124, ssl.TLS1_2_VERSION, null);
      // What is sent in one go comes in one piece.
      const network = new Network(() => 0, 0);
      a.begin();
      while (!b.channel.isEstablished) {
        if (a.channel.isEstablished && says === 'has spoken') a.send(Buffer.from('question'), 0);
        network.carry(a, b);
        if (!b.channel.isEstablished) network.carry(b, a);
      }
      expect(b.channel.mayFirstWait).toBe(may);
      network.carry(b, a);
      expect(b.channel.mayFirstWait).toBe(false);
      a.free();
      b.free();
    },
  );

  for (const [buffers, machine] of Object.entries(machines)) {
    it(`carries bytes in pieces of any size, with ${buffers} buffers, and gives all of them back`, () => {
      const random = seeded(seed);
      for (let life = 0; life < lives / 5; life++) live(machine, random, 0);
    }, 3_600_000);

    it(`delivers nothing that is damaged, with ${buffers} buffers, and gives all of them back`, () => {
      const random = seeded(seed);
      for (let life = 0; life < lives; life++) live(machine, random, random() < 0.5 ? 0.3 : 0.02);
    }, 3_600_000);
  }
});
