/** TLS of OpenSSL over memory: an end that bytes are carried to and from by hand. */
import { TicketKeys } from '../../../../src/drivers/ticket-keys.ts';
import type { StartTls } from '../../../../src/drivers/tls/engine.ts';
import { closeNotified, failed, type TlsConnection } from '../../../../src/drivers/tls/openssl/connection.ts';
import { OpenSslEngine } from '../../../../src/drivers/tls/openssl/engine.ts';
import { loadLibrary } from '../../../../src/drivers/tls/openssl/library.ts';
import { loadLibc, mapMemory, type Pointer } from '../../../../src/drivers/uring/libc.ts';

const libc = loadLibc();
const privateAnonymous = 0x22;
const room = 1024 * 1024;
const memory: Pointer = mapMemory(libc, room, privateAnonymous);
const view = new Uint8Array(libc.view(memory, room));

const ticketKeys = new TicketKeys();

export function engine(keys: TicketKeys = ticketKeys, now = () => performance.now()): OpenSslEngine {
  return new OpenSslEngine(keys, now, loadLibrary());
}

/** One end of a connection. */
export class End {
  isEstablished = false;
  /** All plain bytes that have come. */
  plain = '';
  /** close_notify has come. */
  isFinished = false;
  readonly tls: TlsConnection;

  constructor(engine: OpenSslEngine, command: StartTls) {
    const tls = engine.connection(command);
    if (tls === undefined) throw new Error('The keys or certificates are none');
    this.tls = tls;
  }

  /** Takes what has come, and gives what is to be sent. */
  take(cipherText: Uint8Array = new Uint8Array(0)): Buffer {
    view.set(cipherText);
    if (cipherText.length > 0) this.tls.feed(memory, cipherText.length);
    if (!this.isEstablished && this.tls.failure === undefined) this.isEstablished = this.tls.handshake();
    if (this.isEstablished) this.#open();
    return this.outgoing();
  }

  #open(): void {
    for (;;) {
      const opened = this.tls.open(memory + room / 2, room / 2);
      if (opened === closeNotified) this.isFinished = true;
      if (opened === closeNotified || opened === failed || opened === 0) return;
      this.plain += Buffer.from(view.subarray(room / 2, room / 2 + opened)).toString('latin1');
    }
  }

  seal(plain: string): Buffer {
    view.set(Buffer.from(plain, 'latin1'));
    if (!this.tls.seal(memory, plain.length)) throw new Error(this.tls.failure);
    return this.outgoing();
  }

  finish(): Buffer {
    this.tls.finish();
    return this.outgoing();
  }

  outgoing(): Buffer {
    const parts: Buffer[] = [];
    while (this.tls.outgoing > 0) parts.push(Buffer.from(view.subarray(0, this.tls.take(memory, room))));
    return Buffer.concat(parts);
  }
}

/** Carries bytes between two ends until neither has any; so many at a time. */
export function carry(client: End, server: End, bytesEach = Number.POSITIVE_INFINITY): void {
  let toServer = client.take();
  let toClient: Buffer = Buffer.alloc(0);
  while (toServer.length + toClient.length > 0) {
    toClient = Buffer.concat([toClient, inPieces(server, toServer, bytesEach)]);
    toServer = inPieces(client, toClient, bytesEach);
    toClient = Buffer.alloc(0);
  }
}

function inPieces(end: End, bytes: Buffer, bytesEach: number): Buffer {
  const answers: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytesEach)
    answers.push(end.take(bytes.subarray(at, at + bytesEach)));
  return Buffer.concat(answers);
}
