/** What clients and backends do to a worker's driver, and what it reports of that: as `driver.ts` has it. */
import type { CoreEvent } from '../../src/core/contract.ts';
import type { Dice } from './dice.ts';
import { addresses } from './neighbourhood.ts';
import { slots } from './operator.ts';
import type { WorkerView } from './shadow-session.ts';
import { drawSpeech } from './speech.ts';
import type { Connection } from './virtual-driver.ts';

/** What a backend answers to a dial. `exhausted` is our own failure, `hangs` no answer at all. */
type Manner = 'serves' | 'connect-refused' | 'connect-failed' | 'exhausted' | 'hangs';

const manners = ['serves', 'serves', 'connect-refused', 'connect-failed', 'exhausted', 'hangs'] as const;

export class Peers {
  readonly #dice: Dice;
  readonly #say: (worker: WorkerView, event: CoreEvent) => void;
  readonly #manners: Manner[] = Array.from({ length: slots.backends }, () => 'serves');

  constructor(dice: Dice, say: (worker: WorkerView, event: CoreEvent) => void) {
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
    const isBehindProxy = worker.listeners.get(listener)?.policy.proxyProtocol !== 'off';
    const speech = drawSpeech(this.#dice, isBehindProxy);
    const { id, client } = worker.driver.accept(listener, address, speech);
    this.#say(worker, { kind: 'accepted', session: id, listener, client });
  }

  answerDial(worker: WorkerView, connection: Connection, despiteAll: boolean): void {
    const manner = this.#manners[connection.backend ?? 0] ?? 'serves';
    if (manner === 'hangs' && !despiteAll) return;
    connection.dialIsUnderWay = false;
    const isOpen = connection.stage === 'dialing';
    const session = connection.id;
    if (manner === 'serves' || manner === 'hangs') {
      if (isOpen) connection.stage = 'dialed';
      this.#say(worker, { kind: 'dialed', session });
    } else {
      if (isOpen) connection.stage = 'waiting';
      this.#say(worker, { kind: 'dial-failed', session, why: manner });
    }
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
    if (bytes !== undefined) this.#say(worker, { kind: 'received', session: connection.id, bytes });
  }

  shakeHands(worker: WorkerView, connection: Connection): void {
    const session = connection.id;
    if (this.#dice.chance(0.2)) {
      connection.stage = 'waiting';
      return this.#say(worker, { kind: 'secure-failed', session, sni: undefined, detail: 'drawn' });
    }
    worker.driver.secure(connection);
    const sni = this.#dice.one(['none', 'a.example', 'b.a.example', 'example']);
    const alpn = this.#dice.chance(0.5) ? 'h2' : undefined;
    this.#say(worker, { kind: 'secured', session, sni: sni === 'none' ? undefined : sni, alpn });
  }

  /** A client finishes before it has a backend; what is due of its bytes comes first. */
  leave(worker: WorkerView, connection: Connection): void {
    if (connection.finned !== undefined) return;
    this.handOver(worker, connection);
    const { stage, said, discarded } = connection;
    if (stage !== 'waiting' && stage !== 'securing' && stage !== 'dialing') return;
    this.#fin(worker, connection, 'client', said - discarded);
  }

  finish(worker: WorkerView, connection: Connection): void {
    const side = this.#dice.one(['client', 'backend'] as const);
    if (connection.finned === undefined) return this.#fin(worker, connection, side, 0);
    if (connection.finned !== side) this.end(worker, connection, 'finished');
  }

  reset(worker: WorkerView, connection: Connection): void {
    const byBackend = connection.stage === 'relaying' && this.#dice.chance(0.5);
    this.end(worker, connection, byBackend ? 'backend-reset' : 'client-reset');
  }

  end(
    worker: WorkerView,
    { id: session, finned, delivered }: Connection,
    how: 'finished' | 'client-reset' | 'backend-reset' | 'closed',
  ): void {
    worker.driver.connections.delete(session);
    const by = {
      finished: finned ?? 'client',
      'client-reset': 'client',
      'backend-reset': 'backend',
      closed: 'proxy',
    } as const;
    const bytes = { bytesToBackend: delivered, bytesToClient: this.#dice.between(0, 9) };
    this.#say(worker, { kind: 'ended', session, how, endedBy: by[how], ...bytes });
  }

  #fin(worker: WorkerView, connection: Connection, side: 'client' | 'backend', unsentBytes: number): void {
    connection.finned = side;
    this.#say(worker, { kind: 'half-closed', session: connection.id, side, unsentBytes });
  }
}
