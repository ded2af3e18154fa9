/** What clients and backends do to a worker's driver, and what it reports of that: as `driver.ts` has it. */
import type { CoreEvent, LinkEnd } from '../../src/core/contract.ts';
import type { EndedBy } from '../../src/core/reasons.ts';
import { endpoint } from '../core/harness.ts';
import type { Dice } from './dice.ts';
import { addresses } from './neighbourhood.ts';
import { slots } from './operator.ts';
import type { WorkerView } from './shadow-session.ts';
import { drawSpeech } from './speech.ts';
import type { SessionEvent } from './told.ts';
import { type Connection, held, stageOf, type VirtualLink } from './virtual-driver.ts';

/** What a backend answers to a dial. `exhausted` is our own failure, `hangs` no answer at all. */
type Manner = 'serves' | 'connect-refused' | 'connect-failed' | 'exhausted' | 'hangs';

const manners = ['serves', 'serves', 'connect-refused', 'connect-failed', 'exhausted', 'hangs'] as const;

type Say = (worker: WorkerView, event: CoreEvent, told: SessionEvent) => void;

export class Peers {
  readonly #dice: Dice;
  readonly #say: Say;
  readonly #manners: Manner[] = Array.from({ length: slots.backends }, () => 'serves');

  constructor(dice: Dice, say: Say) {
    this.#dice = dice;
    this.#say = say;
  }

  changeManner(): void {
    this.#manners[this.#dice.between(0, slots.backends - 1)] = this.#dice.one(manners);
  }

  serveAll(): void {
    this.#manners.fill('serves');
  }

  connect(worker: WorkerView, listener: number): void {
    const address = this.#dice.one(addresses);
    const policy = worker.listeners.get(listener)?.policy;
    const isBehindProxy = policy?.proxyProtocol !== 'off';
    const speech = drawSpeech(this.#dice, { isBehindProxy, speaksTls: policy?.tls !== 'off' });
    const { id, client, link } = worker.driver.accept(listener, address, speech);
    const peer = endpoint(client.address, client.port);
    const event: CoreEvent = { kind: 'accepted', link: link.number, listener, peer };
    this.#say(worker, event, { kind: 'accepted', session: id, listener, client });
  }

  answerDial(worker: WorkerView, connection: Connection, despiteAll: boolean): void {
    const { backend, id: session } = connection;
    if (backend?.state !== 'dialing') return;
    const manner = this.#manners[connection.slot ?? 0] ?? 'serves';
    if (manner === 'hangs' && !despiteAll) return;
    const link = backend.number;
    if (manner === 'serves' || manner === 'hangs') {
      backend.state = 'held';
      return this.#say(worker, { kind: 'connected', link }, { kind: 'connected', session });
    }
    backend.state = 'ended';
    const event: CoreEvent = { kind: 'connect-failed', link, why: manner, detail: 'ECONNREFUSED' };
    this.#say(worker, event, { kind: 'dial-failed', session, why: manner });
  }

  /** A backend and the proxy shake hands, or do not come to terms. */
  originate(worker: WorkerView, connection: Connection, despiteAll: boolean): void {
    const { backend, id: session } = connection;
    if (backend?.state !== 'handshaking') return;
    const link = backend.number;
    if (despiteAll || this.#dice.chance(0.7)) {
      backend.state = 'held';
      return this.#say(
        worker,
        { kind: 'tls-established', link, tls: settled(undefined) },
        {
          kind: 'backend-secured',
          session,
        },
      );
    }
    if (this.#dice.chance(0.3)) return this.end(worker, connection, backend, 'finished');
    backend.state = 'refused';
    const event: CoreEvent = { kind: 'tls-failed', link, detail: 'unknown ca' };
    this.#say(worker, event, { kind: 'backend-refused', session });
  }

  /** A client says some more, at once or in dribs and drabs. */
  speak(worker: WorkerView, connection: Connection, nowMs: number): void {
    const { words, said, finned } = connection;
    if (finned === 'client') return;
    const rest = words.length - said;
    const some = this.#dice.one([1, 8, this.#dice.between(0, 20)]);
    worker.driver.hear(connection, this.#dice.chance(0.5) ? rest : Math.min(rest, some), nowMs);
  }

  handOver(worker: WorkerView, connection: Connection): void {
    const bytes = worker.driver.takeDue(connection);
    if (bytes === undefined) return;
    const link = connection.link.number;
    this.#say(
      worker,
      { kind: 'received', link, bytes },
      { kind: 'received', session: connection.id, bytes: bytes.slice() },
    );
  }

  shakeHands(worker: WorkerView, connection: Connection): void {
    const { id: session, link } = connection;
    if (this.#dice.chance(0.2)) {
      link.state = 'refused';
      const event: CoreEvent = { kind: 'tls-failed', link: link.number, detail: 'no shared cipher' };
      return this.#say(worker, event, { kind: 'secure-failed', session });
    }
    worker.driver.secure(connection);
    const alpn = this.#dice.chance(0.5) ? 'h2' : undefined;
    this.#say(
      worker,
      { kind: 'tls-established', link: link.number, tls: settled(alpn) },
      {
        kind: 'secured',
        session,
        alpn,
      },
    );
  }

  /** A client finishes before it has a backend; what is due of its bytes comes first. */
  leave(worker: WorkerView, connection: Connection): void {
    if (connection.finned !== undefined) return;
    this.handOver(worker, connection);
    const stage = stageOf(connection);
    // Of a client that leaves in its handshake only the end is told.
    if (stage === 'handshaking') return this.end(worker, connection, connection.link, 'finished');
    if (stage !== 'waiting' && stage !== 'dialing' && stage !== 'originating') return;
    if (connection.link.state === 'held') this.#fin(worker, connection, 'client', held(connection));
  }

  finish(worker: WorkerView, connection: Connection): void {
    const side = this.#dice.one(['client', 'backend'] as const);
    if (connection.finned === undefined) return this.#fin(worker, connection, side, 0);
    if (connection.finned === side || stageOf(connection) !== 'relaying') return;
    const { link, backend } = connection;
    if (backend === undefined) return;
    this.end(worker, connection, this.#dice.one([link, backend]), 'finished');
  }

  /** One side resets, or closes before it has taken all; its partner follows later. */
  reset(worker: WorkerView, connection: Connection): void {
    const { link, backend } = connection;
    const stage = stageOf(connection);
    if (stage !== 'relaying' || backend === undefined) {
      if (link.state !== 'ended') this.end(worker, connection, link, 'reset-by-peer');
      return;
    }
    const one = this.#dice.chance(0.5) ? link : backend;
    const isCut = this.#dice.chance(0.7);
    connection.waitingBytes = this.#dice.one([0, 0, 9]);
    this.end(worker, connection, one, isCut ? 'reset-by-peer' : 'closed-early');
  }

  /** A link that is being closed, or whose partner has ended, ends too. */
  goAway(worker: WorkerView, connection: Connection): void {
    const { link, backend } = connection;
    if (backend !== undefined && backend.closed !== undefined && this.#dice.chance(0.7))
      return this.end(worker, connection, backend, 'closed');
    if (link.state !== 'ended' && link.closed !== undefined)
      return this.end(worker, connection, link, 'closed');
    if (!connection.isJoined || stageOf(connection) === 'relaying') return;
    const left = link.state === 'ended' ? backend : link;
    if (left === undefined) return;
    const isFollowing = left.state === 'resetting' || left.closed !== undefined;
    const how = left.closed !== undefined ? 'closed' : isFollowing ? 'reset-with-partner' : 'finished';
    this.end(worker, connection, left, how);
  }

  /** The last event of a link. */
  end(worker: WorkerView, connection: Connection, link: VirtualLink, end: LinkEnd): void {
    const { id: session, isJoined } = connection;
    const wasOver = connection.link.closed !== undefined || connection.link.state === 'ended';
    const stage = stageOf(connection);
    const wasAborted = link.side === 'backend' && !isJoined && link.closed !== undefined && !wasOver;
    const other = link.side === 'client' ? connection.backend : connection.link;
    link.state = 'ended';
    if (link.side === 'client') connection.bytesToClient = isJoined ? this.#dice.between(0, 9) : 0;
    else if (isJoined) connection.bytesToBackend = connection.delivered;
    const sentBytes = link.side === 'client' ? connection.bytesToClient : connection.bytesToBackend;
    const isLast = other === undefined || other.state === 'ended';
    const told = (): SessionEvent => {
      if (wasAborted) return { kind: 'dial-aborted', session };
      if (link.side === 'backend' && !isJoined && !wasOver)
        return { kind: 'dial-failed', session, why: 'connect-failed' };
      if (isLast) {
        const { bytesToBackend, bytesToClient } = connection;
        const endedBy: EndedBy = connection.finned ?? link.side;
        return { kind: 'ended', session, ...howOf(link, end, endedBy), bytesToBackend, bytesToClient };
      }
      if (!wasOver && !isJoined)
        return { kind: 'parted', session, how: 'client-left', isCut: true, hasBackend: true };
      if (!isJoined && link.side === 'client') return { kind: 'client-gone', session };
      if (wasOver || end === 'finished' || stage === 'closing')
        return link.side === 'backend' ? { kind: 'backend-gone', session } : { kind: 'nothing' };
      const how = link.side === 'client' ? 'client-reset' : 'backend-reset';
      const isCut = end === 'reset-by-peer';
      return { kind: 'parted', session, how, isCut, hasBackend: link.side === 'client' };
    };
    const inWords = told();
    if (end === 'reset-by-peer' && stage === 'relaying' && other !== undefined) other.state = 'resetting';
    this.#say(worker, { kind: 'closed', link: link.number, end, sentBytes }, inWords);
  }

  #fin(worker: WorkerView, connection: Connection, side: 'client' | 'backend', heldBytes: number): void {
    connection.finned = side;
    const link = side === 'client' ? connection.link : connection.backend;
    if (link === undefined) return;
    const told = { kind: 'half-closed', session: connection.id, side, unsentBytes: heldBytes } as const;
    this.#say(worker, { kind: 'half-closed', link: link.number, heldBytes }, told);
  }
}

function howOf(link: VirtualLink, end: LinkEnd, finishedBy: EndedBy) {
  if (end !== 'reset-by-peer' && end !== 'closed-early')
    return { how: 'finished', endedBy: finishedBy } as const;
  return link.side === 'client'
    ? ({ how: 'client-reset', endedBy: 'client' } as const)
    : ({ how: 'backend-reset', endedBy: 'backend' } as const);
}

function settled(alpn: string | undefined) {
  return { version: 'TLSv1.3', alpn, clientSubject: undefined };
}
