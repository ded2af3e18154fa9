/** A peer that speaks TLS up to a moment, and then does what it must not: in its handshake, or in its stream. */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { StartTls } from '../../src/drivers/tls/engine.ts';
import { loadLibrary } from '../../src/drivers/tls/openssl/library.ts';
import { End, engine } from '../drivers/tls/openssl/wire.ts';

const one = engine();
const { openSsl } = loadLibrary();
const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
const exported = koffi.load(null);
/** Asks for new keys in both directions (SSL_KEY_UPDATE_REQUESTED) with what is sealed next. */
const updateKeys = exported.func('int SSL_key_update(int64, int)');
/** Begins another handshake with what is sealed next; TLS 1.2 alone has that. */
const renegotiate = exported.func('int SSL_renegotiate(int64)');
/** So that our own OpenSSL does not refuse to begin one (SSL_OP_NO_RENEGOTIATION). */
const clearOptions = exported.func('uint64 SSL_clear_options(int64, uint64)');
const noRenegotiation = 2 ** 30;
/** SSL_CTRL_SET_MAX_PROTO_VERSION and TLS1_2_VERSION of openssl/ssl.h. */
const [maxVersion, version2] = [124, 0x0303];

export interface Attack {
  readonly trick: (peer: Hostile, bytes: Buffer) => void;
  /** Before which of the writes of its handshake; behind them, in its stream. */
  readonly at: number;
  readonly isOfTls12: boolean;
}

export class Hostile {
  readonly socket: Socket;
  readonly random: () => number;
  readonly #end: End;
  readonly #attack: Attack;
  #writes = 0;
  #hasTricked = false;
  #isOver = false;

  /** It is over when its socket has closed, which it sees to soon after its trick. */
  constructor(socket: Socket, command: StartTls, attack: Attack, random: () => number) {
    this.socket = socket;
    this.random = random;
    this.#attack = attack;
    this.#end = new End(one, ofNoSession(command, random));
    const { pointer } = this.#end.tls;
    clearOptions(pointer, noRenegotiation);
    if (attack.isOfTls12) openSsl.SSL_ctrl(pointer, maxVersion, version2, null);
    socket.on('error', () => {});
    socket.on('data', (bytes) => this.#take(bytes)).on('close', () => this.#free());
    socket.on('end', () => socket.end());
    if (command.as === 'client') this.#write(this.#end.take());
  }

  write(...parts: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(parts));
  }

  /** Many new keys, each sealed with the one before and each to be answered; or, of TLS 1.2, another handshake. */
  changeKeys(times: number): void {
    const { tls } = this.#end;
    if (this.#isOver || tls.failure !== undefined) return;
    for (let i = 0; i < times && tls.failure === undefined; i++) {
      if (this.#attack.isOfTls12) renegotiate(tls.pointer);
      else updateKeys(tls.pointer, 1);
      this.write(this.#sealed('x'));
    }
    // Node's own TLS would take it for an error of its own.
    openSsl.ERR_clear_error();
  }

  #sealed(plain: string): Buffer {
    const { tls } = this.#end;
    return tls.sealBytes(Buffer.from(plain)) ? this.#end.outgoing() : Buffer.alloc(0);
  }

  #take(bytes: Buffer): void {
    if (this.#isOver || this.#end.tls.failure !== undefined) return;
    const wasEstablished = this.#end.isEstablished;
    this.#write(this.#end.take(bytes));
    if (this.#end.isEstablished && !wasEstablished) this.#write(this.#sealed('hello'), true);
  }

  #write(bytes: Buffer, isLast = false): void {
    if (bytes.length === 0 || this.#hasTricked) return;
    if (this.#writes++ < this.#attack.at && !isLast) return this.write(bytes);
    this.#hasTricked = true;
    this.#attack.trick(this, bytes);
    // So long it may answer, and be answered.
    setTimeout(() => this.socket.destroy(), this.random() * 200);
  }

  #free(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end.tls.free();
  }
}

const record = (type: number, body: string, length = body.length / 2): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 255]), Buffer.from(body, 'hex')]);

/** Content types of RFC 8446, 5.1. */
const [changeCipherSpec, alert, handshake, data, heartbeat] = [20, 21, 22, 23, 24];

const below = (peer: Hostile, bound: number): number => Math.floor(peer.random() * bound);

function changed(peer: Hostile, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let changes = 1 + below(peer, 3); changes > 0; changes--)
    copy[below(peer, copy.length)] = below(peer, 256);
  return copy;
}

/** What it does in the stead of what it ought to write. */
/** For another backend each time. */
function ofNoSession(command: StartTls, random: () => number): StartTls {
  return command.as === 'server' ? command : { ...command, address: { path: `/${random()}` } };
}

export const tricks: Readonly<Record<string, Attack['trick']>> = {
  'changes bytes': (peer, bytes) => peer.write(changed(peer, bytes)),
  'leaves bytes out': (peer, bytes) => {
    const at = below(peer, bytes.length);
    peer.write(bytes.subarray(0, at), bytes.subarray(at + 1 + below(peer, 8)));
  },
  'stops in the middle': (peer, bytes) => peer.write(bytes.subarray(0, below(peer, bytes.length))),
  'finishes in the middle': (peer, bytes) => peer.socket.end(bytes.subarray(0, below(peer, bytes.length))),
  'resets in the middle': (peer, bytes) => {
    peer.write(bytes.subarray(0, below(peer, bytes.length)));
    peer.socket.resetAndDestroy();
  },
  'says it twice': (peer, bytes) => peer.write(bytes, bytes),
  'says it byte by byte': (peer, bytes) => {
    for (const byte of bytes) peer.write(Buffer.of(byte));
  },
  'does not speak TLS': (peer) => peer.write(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
  'sends empty records': (peer, bytes) => {
    const type = [changeCipherSpec, alert, handshake, data][below(peer, 4)] ?? data;
    peer.write(...Array.from({ length: 1 + below(peer, 100) }, () => record(type, '')), bytes);
  },
  'sends a record that is too long': (peer, bytes) => {
    const length = [0x4000 + 257, 0x4000 + 2049, 0xffff][below(peer, 3)] ?? 0xffff;
    peer.write(record([handshake, data][below(peer, 2)] ?? data, '', length), Buffer.alloc(length), bytes);
  },
  'sends a message that never ends': (peer) => {
    const part = record(handshake, '00'.repeat(16_384));
    peer.write(record(handshake, '0bffffff'), ...Array.from({ length: 16 }, () => part));
  },
  'puts another record between': (peer, bytes) => {
    const between = [
      record(data, '00'),
      record(changeCipherSpec, '01'),
      record(heartbeat, '0140ff'),
      record(9, ''),
    ];
    const at = below(peer, bytes.length);
    peer.write(bytes.subarray(0, at), between[below(peer, between.length)] ?? bytes, bytes.subarray(at));
  },
  'sends alerts': (peer, bytes) => {
    const alerts = ['0100', '015a', '0228', '0264', '0300'];
    peer.write(record(alert, alerts[below(peer, alerts.length)] ?? '0100'), bytes);
  },
  'floods with new keys': (peer, bytes) => {
    peer.write(bytes);
    peer.changeKeys(1 + below(peer, 400));
  },
};
