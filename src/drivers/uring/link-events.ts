/** The events of links. Each kind is one object, filled anew each time: it is the driver's until it was handled. */
import type {
  ConnectFailure,
  LinkEnd,
  LinkEvent,
  LinkId,
  ListenerSlot,
  TlsSession,
} from '../../core/contract.ts';
import { Endpoint } from '../../core/net/endpoint.ts';
import type { DriverEvent, DriverHost } from '../driver.ts';

type Kept<Kind extends LinkEvent['kind']> = {
  -readonly [Key in keyof Extract<LinkEvent, { readonly kind: Kind }>]: Extract<
    LinkEvent,
    { readonly kind: Kind }
  >[Key];
};
interface Numbered {
  readonly id: LinkId;
}

export class LinkEvents {
  /** Nothing is told any more: the driver is closed. */
  areMuted = false;
  readonly #host: Pick<DriverHost, 'emit'>;
  readonly #turn: { readonly turnMs: number };
  readonly #accepted: Kept<'accepted'> = { kind: 'accepted', link: 0, listener: 0, peer: Endpoint.unix };
  readonly #received: Kept<'received'> = { kind: 'received', link: 0, bytes: new Uint8Array(0) };
  readonly #connected: Kept<'connected'> = { kind: 'connected', link: 0 };
  readonly #connectFailed: Kept<'connect-failed'> = {
    kind: 'connect-failed',
    link: 0,
    why: 'connect-failed',
    detail: '',
  };
  readonly #tlsFailed: Kept<'tls-failed'> = { kind: 'tls-failed', link: 0, detail: '' };
  readonly #firstByte: Kept<'first-byte'> = { kind: 'first-byte', link: 0 };
  readonly #halfClosed: Kept<'half-closed'> = { kind: 'half-closed', link: 0, heldBytes: 0 };
  readonly #closed: Kept<'closed'> = { kind: 'closed', link: 0, end: 'finished', sentBytes: 0 };

  /** What happens in one turn happens at one time: to read the clock for each event takes longer than to tell it. */
  constructor(host: Pick<DriverHost, 'emit'>, turn: { readonly turnMs: number }) {
    this.#host = host;
    this.#turn = turn;
  }

  accepted({ id }: Numbered, listener: ListenerSlot, peer: Endpoint): void {
    const event = this.#accepted;
    event.link = id;
    event.listener = listener;
    event.peer = peer;
    this.#emit(event);
  }

  received({ id }: Numbered, bytes: Uint8Array): void {
    this.#received.link = id;
    this.#received.bytes = bytes;
    this.#emit(this.#received);
  }

  connected({ id }: Numbered): void {
    this.#connected.link = id;
    this.#emit(this.#connected);
  }

  connectFailed({ id }: Numbered, why: ConnectFailure, detail: string): void {
    const event = this.#connectFailed;
    event.link = id;
    event.why = why;
    event.detail = detail;
    this.#emit(event);
  }

  certificateShown({ id }: Numbered, notAfterMs: number): void {
    this.#emit({ kind: 'certificate-shown', link: id, notAfterMs });
  }

  tlsEstablished({ id }: Numbered, tls: TlsSession): void {
    this.#emit({ kind: 'tls-established', link: id, tls });
  }

  tlsFailed({ id }: Numbered, detail: string): void {
    this.#tlsFailed.link = id;
    this.#tlsFailed.detail = detail;
    this.#emit(this.#tlsFailed);
  }

  firstByte({ id }: Numbered): void {
    this.#firstByte.link = id;
    this.#emit(this.#firstByte);
  }

  halfClosed({ id }: Numbered, heldBytes: number): void {
    this.#halfClosed.link = id;
    this.#halfClosed.heldBytes = heldBytes;
    this.#emit(this.#halfClosed);
  }

  closed({ id }: Numbered, end: LinkEnd, sentBytes: number): void {
    const event = this.#closed;
    event.link = id;
    event.end = end;
    event.sentBytes = sentBytes;
    this.#emit(event);
  }

  turnedAway(listener: ListenerSlot, peer: Endpoint): void {
    this.#emit({ kind: 'turned-away', listener, peer });
  }

  exhausted(what: 'memory' | 'descriptors'): void {
    this.#emit({ kind: 'exhausted', what });
  }

  #emit(event: DriverEvent): void {
    if (!this.areMuted) this.#host.emit(event, this.#turn.turnMs);
  }
}
