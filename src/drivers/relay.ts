/**
 * What FIN, RST, close and back-pressure mean for a link and its partner, once for all drivers. These functions run a
 * few times in a connection's life, never for a chunk. A link's state is a few marks; each event of its socket comes
 * to one of the functions below:
 *
 *     FIN or RST was received ─▶ readEnded      a send has completed ─▶ sent      a send has failed ─▶ writeFailed
 *     its TLS is broken ─▶ broken               the core commands ─▶ join, close  its descriptor is closed ─▶ closed
 *
 * The kernel tells an error of a socket once, to whichever call comes first. So a failed send does not end the
 * link: what its peer sent before still waits to be read, and reading on tells how it ends.
 */
import type { CloseHow, LinkEnd } from '../core/contract.ts';

/** Marks. Only `dialing` is ever taken back, by the driver. */
export const dialing = 1 << 0;
/** Its FIN was received. */
export const finReceived = 1 << 1;
/** FIN goes out behind what is queued; it has gone out. */
export const finDue = 1 << 2;
export const finSent = 1 << 3;
/** RST goes out behind what is queued. */
const resetDue = 1 << 4;
/** A send has failed, so that its peer takes nothing more; it failed by RST. */
export const writeBroken = 1 << 5;
export const resetSeen = 1 << 6;
/** What comes is thrown away. */
export const discarding = 1 << 7;
/** It closes once nothing is under way in the kernel. */
export const closing = 1 << 8;
/** The marks below this bit are this file's; a driver may use the others. */
export const firstDriverMark = 1 << 9;

export interface Link<L extends Link<L>> {
  marks: number;
  end: LinkEnd | undefined;
  partner: L | undefined;
  /** Bytes wait to be sent or are being sent. */
  readonly isSending: boolean;
  /** More may be queued for its peer. */
  readonly hasRoom: boolean;
  /** More may be held of it while it is not joined. */
  readonly mayHold: boolean;
  /** Reads on if `mayRead`; otherwise has the leaving of its peer noticed. */
  read(): void;
  /** Nothing is queued. With TLS close_notify goes first; no shutdown(2) where FIN was received, as closing follows. */
  sendFin(): void;
  /** FIN will follow what is being sent: one packet for both. */
  finFollows(): void;
  /** Forgets what is queued and not under way. */
  dropQueue(): void;
  /** Marks it `closing`; closes once nothing is under way, then calls `closed`. A later 'reset' overrules 'fin'. */
  closeWhenIdle(how: CloseHow): void;
}

export function mayRead<L extends Link<L>>(link: L): boolean {
  if (has(link, dialing | finReceived | closing)) return false;
  if (has(link, discarding)) return true;
  return link.partner === undefined ? link.mayHold : link.partner.hasRoom;
}

/** The driver has queued for each what it held of the other. */
export function join<L extends Link<L>>(client: L, backend: L): void {
  client.partner = backend;
  backend.partner = client;
  // RST has come for one of them, and is told to the core in a moment; or its TLS is broken.
  if (has(client, closing)) return reset(client);
  if (has(backend, closing)) return reset(backend);
  if (client.end !== undefined) return resetToo(backend);
  if (backend.end !== undefined) return resetToo(client);
  if (has(client, finReceived)) finishBehind(backend);
  if (has(backend, finReceived)) finishBehind(client);
  backend.read();
  client.read();
}

/** A send has completed: there is room again; and where nothing is left, what follows all bytes is due. */
export function sent<L extends Link<L>>(link: L): void {
  if (!link.isSending) {
    if (has(link, resetDue)) link.closeWhenIdle('reset');
    else if (has(link, finDue) && !has(link, finSent)) finish(link);
    else closeIfDone(link);
  }
  link.partner?.read();
}

/** FIN was received, or reading has failed. Returns whether the core is to be told `half-closed`. */
export function readEnded<L extends Link<L>>(link: L, how: 'fin' | 'reset'): boolean {
  const { partner } = link;
  // After a failed send it is that failure which says how it ended: its error was told there and not again.
  if (has(link, writeBroken) ? has(link, resetSeen) : how === 'reset') {
    reset(link);
    return false;
  }
  const isTold = !has(link, discarding) && (partner === undefined || !has(partner, finReceived));
  link.marks |= finReceived;
  if (partner !== undefined && !has(link, discarding)) finishBehind(partner);
  closeIfDone(link);
  return isTold;
}

/** A send has failed, by RST (ECONNRESET …) or because the peer has closed (EPIPE). What it sent waits to be read. */
export function writeFailed<L extends Link<L>>(link: L, byReset: boolean): void {
  const { partner } = link;
  link.marks |= byReset ? writeBroken | resetSeen : writeBroken;
  link.dropQueue();
  if (partner === undefined || has(link, discarding)) return reset(link);
  // Its partner is read on and not closed: closed with unread bytes it would get RST ahead of the answer.
  partner.marks |= discarding;
  partner.read();
  closeIfDone(link);
}

/**
 * What came was sealed by nobody who has the key: as with RST, but its peer is being told why by an alert, and FIN goes
 * behind that. Closed with unread bytes it would get RST ahead of it.
 */
export function broken<L extends Link<L>>(link: L): void {
  const { partner } = link;
  if (has(link, discarding)) return;
  link.end ??= 'reset-by-peer';
  link.marks |= discarding;
  finishBehind(link);
  if (partner !== undefined) resetToo(partner);
  link.read();
}

/** By command of the core: the link, and its partner with it. */
export function close<L extends Link<L>>(link: L, how: CloseHow): void {
  const { partner } = link;
  closeOne(link, how);
  if (partner !== undefined) closeOne(partner, how);
}

/** Its descriptor is closed; the driver emits `closed`. */
export function closed<L extends Link<L>>(link: L): void {
  if (link.partner !== undefined) link.partner.partner = undefined;
  link.partner = undefined;
}

function closeOne<L extends Link<L>>(link: L, how: CloseHow): void {
  link.end ??= 'closed';
  if (how === 'reset' || has(link, dialing | writeBroken)) return link.closeWhenIdle('reset');
  link.marks |= discarding;
  finishBehind(link);
  link.read();
}

/** RST goes on to the partner, behind what came before it; one that is being closed already goes its own way. */
function reset<L extends Link<L>>(link: L): void {
  const { partner } = link;
  link.end ??= 'reset-by-peer';
  link.closeWhenIdle('reset');
  if (partner !== undefined) resetToo(partner);
}

function resetToo<L extends Link<L>>(partner: L): void {
  if (partner.end !== undefined) return;
  partner.end = 'reset-with-partner';
  partner.marks |= discarding | resetDue;
  if (!partner.isSending) partner.closeWhenIdle('reset');
}

function finishBehind<L extends Link<L>>(link: L): void {
  if (has(link, finDue | writeBroken | closing)) return;
  link.marks |= finDue;
  if (link.isSending) link.finFollows();
  else finish(link);
}

function finish<L extends Link<L>>(link: L): void {
  link.marks |= finSent;
  link.sendFin();
  closeIfDone(link);
}

function closeIfDone<L extends Link<L>>(link: L): void {
  if (!has(link, finReceived) || !has(link, finSent | writeBroken) || link.isSending) return;
  link.end ??= has(link, writeBroken) ? 'closed-early' : 'finished';
  link.closeWhenIdle('fin');
}

export function has<L extends Link<L>>({ marks }: L, bits: number): boolean {
  return (marks & bits) !== 0;
}
