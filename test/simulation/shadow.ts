/**
 * What must be true of sessions, leases and counts, worked out from events and commands alone. It never asks
 * a core; of the ledger it reads what others wrote (health) or what chance decides (how long a breaker is open).
 */
import { queuePolicyOf } from '../../src/core/hold.ts';
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import type { PoolHold } from '../../src/core/plan.ts';
import type { Reason } from '../../src/core/reasons.ts';
import type { Incident, SessionRecord } from '../../src/core/reports.ts';
import { Arrivals, checkDelivery, isAsked } from './arrivals.ts';
import { Choice } from './choice.ts';
import type { Destinations } from './destinations.ts';
import { closedWith, Endings, isEnded, silenceEnds } from './endings.ts';
import { slots } from './operator.ts';
import { checkPreamble } from './preambles.ts';
import { becomeUnsure, Queueing } from './queueing.ts';
import { checkRecord } from './record.ts';
import { ShadowBreaker } from './shadow-breaker.ts';
import type { ShadowEntrance } from './shadow-entrance.ts';
import { ShadowPace } from './shadow-pace.ts';
import { go, isWaiting, type PoolView, type ShadowSession, type WorkerView } from './shadow-session.ts';
import { Tally } from './tally.ts';
import type { Told, ToldCommand, ToldCommandOf, ToldOf } from './told.ts';
import { must } from './violation.ts';
import { held } from './virtual-driver.ts';

const never = Number.POSITIVE_INFINITY;
/** How long the core lets a client linger that was sent FIN. */
const lingerMs = 1_000;
/** How long it lets a dial take whose client has finished without a byte. */
const partingMs = 100;

export class Shadow {
  readonly pools = new Tally<number>();
  readonly backends = new Tally<number>();
  readonly accepted = new Tally<number>();
  readonly closed = new Tally<string>();
  readonly reasonsSeen = new Set<Reason>();
  readonly breakers: ShadowBreaker[];
  readonly choice: Choice;
  readonly #arrivals: Arrivals;
  readonly #ledger: Ledger;
  readonly #endings: Endings;
  readonly #queueing: Queueing;
  readonly #pace = new ShadowPace();
  #nowMs = 0;
  #lingered = 0;
  #ending: ShadowSession | undefined;
  /** Sessions whose dial failed or that were moved while this event was dealt with. */
  readonly #unsettled = new Set<ShadowSession>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.breakers = Array.from({ length: slots.backends }, (_, slot) => new ShadowBreaker(ledger, slot));
    this.choice = new Choice(ledger, this, this.breakers);
    this.#endings = new Endings(this.choice);
    this.#arrivals = new Arrivals(ledger);
    this.#queueing = new Queueing(ledger, this.choice);
  }

  get entrance(): ShadowEntrance {
    return this.#arrivals.entrance;
  }

  get destinations(): Destinations {
    return this.#arrivals.destinations;
  }

  /** Judges what a worker's core has commanded about an event. */
  observe(worker: WorkerView, event: Told, commands: readonly ToldCommand[], nowMs: number): void {
    this.#nowMs = nowMs;
    this.#unsettled.clear();
    const waitedBefore = [...worker.sessions.values()].filter(isWaiting);
    this.#arrivals.happens(worker, event, nowMs);
    this.#happened(worker, event);
    for (const command of commands) this.#commanded(worker, event, command);
    this.#settled(worker, event);
    // Those whose dial failed may have come further in the same event: others failed after them.
    for (const session of this.#unsettled) {
      const waitsForNothing = session.initialBackoffMs === 0;
      const isQueued = session.stage === 'queued' && event.kind === 'deadline';
      if (isQueued || waitsForNothing) waitedBefore.push(session);
    }
    for (const session of waitedBefore) this.#blur(session, event);
  }

  /** A worker died, and all its sessions with it. */
  died(worker: WorkerView): void {
    for (const session of worker.sessions.values()) {
      this.#release(session);
      this.#arrivals.leaves(session);
      this.closed.add(`${session.listener.slot} overloaded`);
    }
    worker.sessions.clear();
  }

  /** A backend's slot was given to another. */
  cleared(slot: number): void {
    this.breakers[slot] = new ShadowBreaker(this.#ledger, slot);
  }

  /** Clients of a pool begin to go that was held. */
  released(slot: number, hold: PoolHold, nowMs: number): void {
    this.#pace.begin(slot, hold, nowMs);
  }

  /** By when the core must want to be called for this session. */
  actByMs(worker: WorkerView, session: ShadowSession): number {
    if (session.stage === 'dialing') return Math.min(session.actByMs, session.leftMs);
    if (session.stage !== 'relaying') return session.actByMs;
    const { maxLifetimeMs } = session.listener.policy.timeouts;
    const { idleMs, halfClosedMs } = silenceEnds(worker, session);
    return Math.min(session.acceptedMs + maxLifetimeMs, idleMs, halfClosedMs);
  }

  #happened(worker: WorkerView, event: Told): void {
    switch (event.kind) {
      case 'accepted':
        this.accepted.add(event.listener);
        return this.#arrivals.accepted(worker, event, this.#nowMs);
      case 'turned-away':
        this.accepted.add(event.listener);
        return;
      case 'received':
      case 'secured':
      case 'secure-failed': {
        const session = sessionOf(worker, event);
        if (session.stage === 'arriving') this.#arrivals.heard(worker, session, event, this.#nowMs);
        return;
      }
      case 'connected': {
        const session = sessionOf(worker, event);
        if (session.stage !== 'dialing') return;
        if (session.pool?.plan.policy.connect.tls === 'off') return this.#dialed(session);
        session.mustOriginate = true;
        return;
      }
      case 'backend-secured': {
        const session = sessionOf(worker, event);
        if (session.stage === 'dialing') this.#dialed(session);
        return;
      }
      case 'backend-refused':
        return;
      case 'dial-failed': {
        const session = sessionOf(worker, event);
        if (session.stage !== 'dialing') return;
        this.#blame(session, event.why);
        return this.#dialEnded(worker, session, event.why);
      }
      case 'dial-aborted': {
        const session = sessionOf(worker, event);
        if (session.stage === 'aborting') this.#dialEnded(worker, session, session.abortedBy);
        return;
      }
      case 'client-gone':
        return this.#noLonger(sessionOf(worker, event));
      case 'backend-gone':
        return this.#release(sessionOf(worker, event));
      case 'parted': {
        const session = sessionOf(worker, event);
        return this.#parted(worker, session, event);
      }
      case 'half-closed': {
        const session = sessionOf(worker, event);
        session.finnedMs = this.#nowMs;
        if (session.stage === 'arriving') this.#arrivals.heard(worker, session, event, this.#nowMs);
        if (session.stage === 'dialing' && event.unsentBytes === 0) session.leftMs = this.#nowMs + partingMs;
        return;
      }
      case 'ended':
        return this.#ended(worker, event);
      case 'plan':
        this.#queueing.begin(worker, event.plan);
        for (const moved of this.#queueing.move(
          worker,
          worker.follow(event.plan),
          this.destinations,
          this.#nowMs,
        ))
          this.#unsettled.add(moved);
        return this.#queueing.hold(worker);
      case 'drain':
        worker.drainMs = event.untilMs;
    }
  }

  /** What a core has told of breakers in the event that was observed last. */
  told(incidents: readonly Incident[]): void {
    for (const incident of incidents) {
      if (incident.kind === 'circuit') this.#breaker(incident.slot).told(incident.change.to);
    }
  }

  #dialed(session: ShadowSession): void {
    const { lease } = session;
    if (lease === undefined) return;
    if (lease.admission !== undefined) this.#breaker(lease.backend.slot).succeed(lease.admission);
    lease.admission = undefined;
    session.connectMs = this.#nowMs - lease.sinceMs;
    go(session, 'dialed', this.#nowMs);
  }

  /** What a failed dial does to the backend, and to what the session has tried. */
  #blame(session: ShadowSession, why: Reason | 'exhausted'): void {
    const { lease } = session;
    must(lease !== undefined, () => `session ${session.id} dials without a lease`);
    if (why === 'exhausted') {
      session.lastFailure = 'overloaded';
      session.backendName = undefined;
    } else {
      session.lastFailure = why;
      session.failedDials.push(lease.backend.name);
      session.surelyTried.add(lease.backend.slot);
      session.maybeTried.add(lease.backend.slot);
      if (lease.admission !== undefined) this.#breaker(lease.backend.slot).fail(lease.admission, this.#nowMs);
      lease.admission = undefined;
    }
  }

  /** The link of a failed dial has ended: now another may follow. */
  #dialEnded(worker: WorkerView, session: ShadowSession, why: Reason | 'exhausted' | 'held'): void {
    const { pool } = session;
    must(pool !== undefined, () => `session ${session.id} dials without a pool`);
    this.#release(session);
    this.#unsettled.add(session);
    if (worker.pools.get(pool.plan.slot) !== pool) return this.#startsAnew(worker, session, pool);
    this.#afterFailure(worker, session, pool, why);
  }

  /** The pool that it dialed for is gone: it is placed in another, like one that has just come. */
  #startsAnew(worker: WorkerView, session: ShadowSession, gone: PoolView): void {
    this.destinations.move(worker, session, gone, true);
    session.surelyTried = new Set();
    session.maybeTried = new Set();
    session.actByMs = never;
    go(session, 'fresh', this.#nowMs);
  }

  /** The session is over but for its other link, which has a while to follow. */
  #parted(
    { driver }: WorkerView,
    session: ShadowSession,
    { how, isCut, hasBackend }: ToldOf<'parted'>,
  ): void {
    if (!hasBackend) this.#release(session);
    if (session.stage === 'closing') return;
    session.reasons = [how];
    session.endedBy = how === 'backend-reset' ? 'backend' : 'client';
    go(session, 'closing', this.#nowMs);
    session.actByMs = never;
    if (how === 'client-left') return;
    const { halfClosedMs } = session.listener.policy.timeouts;
    const waits = (driver.connections.get(session.id)?.waitingBytes ?? 0) > 0;
    session.notBeforeMs = this.#nowMs + lingerMs;
    session.actByMs = this.#nowMs + (isCut || !waits ? lingerMs : Math.max(lingerMs, halfClosedMs));
  }

  /** What becomes of the session unless it dials again at once. */
  #afterFailure(
    worker: WorkerView,
    session: ShadowSession,
    pool: PoolView,
    why: Reason | 'exhausted' | 'held',
  ): void {
    const exhausted = why === 'exhausted';
    const { retries, backoff } = pool.plan.policy.connect;
    session.actByMs = never;
    session.initialBackoffMs = backoff.initialMs;
    const hasLeft = session.leftMs < never;
    if (pool.plan.hold !== undefined && !hasLeft) {
      // It waits for the hold to end, or for a backend after it, in the queue or backing off.
      session.surelyTried = new Set();
      return becomeUnsure(session, this.#nowMs);
    }
    const isUsedUp = session.attempts - session.heldAttempts > retries && why !== 'held';
    if (isUsedUp || (hasLeft && exhausted)) return go(session, 'doomed', this.#nowMs);
    if (exhausted) {
      go(session, 'pausing', this.#nowMs);
      session.actByMs = this.#nowMs + backoff.maxMs;
      return;
    }
    // Who could go on at once must: no other stage is right then.
    if (this.choice.open(worker, pool, session, this.#nowMs).length > 0)
      return go(session, 'doomed', this.#nowMs);
    const whyNot = this.choice.whyNot(worker, pool, session, this.#nowMs);
    if (hasLeft) go(session, 'doomed', this.#nowMs);
    else if (whyNot.size > 1 || session.surelyTried.size < session.maybeTried.size)
      go(session, 'unsure', this.#nowMs);
    else if (whyNot.has('no-backend')) go(session, 'doomed', this.#nowMs);
    else if (whyNot.has('all-tried')) {
      go(session, 'pausing', this.#nowMs);
      session.actByMs = this.#nowMs + backoff.maxMs;
    } else {
      go(session, 'queued', this.#nowMs);
      session.queuedMs = this.#nowMs;
      session.actByMs = this.#nowMs + queuePolicyOf(pool.plan).timeoutMs;
    }
  }

  #ended(worker: WorkerView, event: ToldOf<'ended'>): void {
    const session = sessionOf(worker, event);
    worker.sessions.delete(session.id);
    this.#release(session);
    this.#arrivals.leaves(session);
    if (session.stage === 'relaying') {
      session.reasons = [event.how];
      session.endedBy = event.endedBy;
    } else if (session.stage !== 'closing') session.reasons = ['client-left'];
    this.#ending = session;
  }

  #commanded(worker: WorkerView, event: Told, command: ToldCommand): void {
    if (command.kind === 'report') return this.#reported(event, command.record);
    const session = worker.sessions.get(command.session);
    must(session !== undefined, () => `${command.kind} for session ${command.session}, which has ended`);
    this.#arrivals.stepsOn(worker, session, this.#nowMs);
    if (isAsked(command)) return this.#arrivals.commanded(session, command);
    switch (command.kind) {
      case 'dial':
        return this.#dials(worker, event, session, command);
      case 'originate':
        must(session.mustOriginate, () => `TLS to the backend of session ${session.id}, which nobody wants`);
        session.mustOriginate = false;
        session.hasOriginated = true;
        return checkPreamble(
          session,
          session.pool?.plan.policy.connect.proxyProtocol ?? 'off',
          command.preamble,
        );
      case 'abort-dial': {
        const isRefused = event.kind === 'backend-refused' && event.session === session.id;
        const isOver = isRefused || session.mustAbort || this.#nowMs >= session.actByMs;
        must(
          session.stage === 'dialing' && isOver,
          () => `abort-dial of session ${session.id} before its time`,
        );
        session.actByMs = never;
        if (session.mustAbort) {
          session.mustAbort = false;
          session.abortedBy = 'held';
          session.backendName = undefined;
          session.heldAttempts++;
          return go(session, 'aborting', this.#nowMs);
        }
        session.abortedBy = isRefused ? 'connect-failed' : 'connect-timeout';
        this.#blame(session, session.abortedBy);
        return go(session, 'aborting', this.#nowMs);
      }
      case 'relay':
        must(session.stage === 'dialed', () => `relay of session ${session.id} while ${session.stage}`);
        this.#checkHeader(session, command.preamble);
        checkDelivery(worker, session);
        return go(session, 'relaying', this.#nowMs);
      case 'close':
        return this.#closes(worker, event, session, command);
    }
  }

  #dials(worker: WorkerView, event: Told, session: ShadowSession, command: ToldCommandOf<'dial'>): void {
    const nowMs = this.#nowMs;
    const others = session.mayBeIn;
    const movedTo = others.find(({ plan }) => plan.backends.some(({ slot }) => slot === command.backend));
    if (movedTo !== undefined) session.pool = movedTo;
    const { pool, id } = session;
    const backend = pool?.plan.backends.find(({ slot }) => slot === command.backend);
    const dial = () => `session ${id} (${session.stage}) dials backend ${command.backend}`;
    must(pool !== undefined && backend !== undefined, () => `${dial()}, which is not in its pool`);
    must(sameText(command.address, backend.address), () => `${dial()} at a wrong address`);
    must(
      session.stage === 'fresh' || isWaiting(session) || this.#unsettled.has(session),
      () => `${dial()} without having failed`,
    );
    this.#beginRound(worker, event, session);
    const objection = this.choice.objection(worker, pool, session, backend, nowMs);
    must(objection === undefined, () => `${dial()}, but ${objection}`);
    this.#queueing.mustBeItsTurn(worker, session, pool, nowMs);

    this.#pace.takes(pool, nowMs);
    this.pools.add(pool.plan.slot);
    this.backends.add(backend.slot);
    const { circuitBreaker, connect } = pool.plan.policy;
    const admission =
      circuitBreaker === 'off' ? undefined : this.#breaker(backend.slot).admit(circuitBreaker);
    session.lease = { pool: pool.plan.slot, backend, sinceMs: nowMs, admission };
    session.attempts++;
    session.backendName = backend.name;
    session.mayBeIn = [];
    session.mayLackPool = false;
    session.hasOriginated = false;
    go(session, 'dialing', this.#nowMs);
    session.actByMs = nowMs + connect.timeoutMs;
  }

  /** Nothing more is expected of it but its end. */
  #noLonger(session: ShadowSession): void {
    session.actByMs = never;
    session.lingersSince = never;
  }

  /** It goes out once: ahead of TLS where there is TLS. */
  #checkHeader(session: ShadowSession, preamble: Uint8Array | undefined): void {
    const { proxyProtocol, tls } = session.pool?.plan.policy.connect ?? { proxyProtocol: 'off', tls: 'off' };
    if (session.hasOriginated)
      must(preamble === undefined, () => `session ${session.id} sends its header twice`);
    else if (tls === 'off') checkPreamble(session, proxyProtocol, preamble);
  }

  /**
   * Who has backed off begins a new round of dials. Without a wait, where the configuration says so, that can
   * be in the event in which the dial before failed, and can't be told from going on in the same round.
   */
  #beginRound(worker: WorkerView, event: Told, session: ShadowSession): void {
    const failedNow = this.#unsettled.has(session);
    const waitsForNothing = session.initialBackoffMs === 0 && event.kind === 'deadline';
    const mayGoOn = failedNow && worker.healthIsStale();
    const hasBackedOff = session.stage === 'pausing' && !mayGoOn;
    if (hasBackedOff) {
      const waited = event.kind === 'deadline' && (this.#nowMs > session.stageSinceMs || waitsForNothing);
      must(waited, () => `session ${session.id} dials again without a wait`);
      session.maybeTried = new Set();
    }
    const mayHaveBackedOff = waitsForNothing || !failedNow;
    if (hasBackedOff || (isWaiting(session) && mayHaveBackedOff)) session.surelyTried = new Set();
  }

  #closes(worker: WorkerView, event: Told, session: ShadowSession, { how }: ToldCommandOf<'close'>): void {
    // A dial whose time was over before the drain's has failed, though its link is closed with the session.
    const isLate = event.kind === 'deadline' && session.stage === 'dialing' && this.#nowMs >= session.actByMs;
    if (isLate && session.actByMs < Math.min(worker.drainMs, session.leftMs)) {
      this.#blame(session, 'connect-timeout');
      go(session, 'aborting', this.#nowMs);
    }
    if (session.stage === 'closing') {
      const isOver = this.#nowMs >= session.notBeforeMs || this.#isGivenUp(worker, event, session);
      must(how === 'reset' && isOver, () => `session ${session.id} is closed once more, before its time`);
      session.actByMs = never;
      session.notBeforeMs = never;
      session.lingersSince = never;
      return;
    }
    if (session.reasons.length === 0 && event.kind === 'exhausted') {
      must(this.#isGivenUp(worker, event, session), () => `session ${session.id} makes room before another`);
      session.reasons = ['overloaded'];
    }
    if (session.reasons.length === 0)
      session.reasons = this.#endings.reasonsToClose(worker, event, session, {
        nowMs: this.#nowMs,
        wasMoved: this.#unsettled.has(session),
        cameUnseen: this.#arrivals.areOverdue,
      });
    const { reasons, stage, listener } = session;
    must(reasons.length > 0, () => `session ${session.id} is closed without a reason while ${stage}`);
    const ways = new Set(reasons.map((reason) => session.closeWith ?? closedWith(reason, listener)));
    if (event.kind === 'exhausted') ways.add('reset');
    if (event.kind === 'end-sessions') ways.add(event.how);
    must(ways.has(how), () => `close ${how} of session ${session.id} (${reasons.join(' or ')})`);
    const wasRelaying = stage === 'relaying';
    go(session, 'closing', this.#nowMs);
    session.actByMs = how === 'fin' ? this.#nowMs + lingerMs : never;
    session.notBeforeMs = session.actByMs;
    if (how === 'fin' && !wasRelaying) session.lingersSince = this.#lingered++;
  }

  /** Whether it is the one that makes room: the longest that waits. */
  #isGivenUp({ driver, sessions }: WorkerView, event: Told, session: ShadowSession): boolean {
    if (event.kind !== 'exhausted') return false;
    const all = [...sessions.values()];
    const lingering = all.filter(({ lingersSince }) => lingersSince < never);
    if (event.what === 'descriptors' && lingering.length > 0)
      return lingering.every(({ lingersSince }) => lingersSince >= session.lingersSince);
    const candidates = all.filter(({ id, stage }) => {
      const connection = driver.connections.get(id);
      if (connection === undefined || connection.link.state === 'ended') return false;
      if (event.what === 'descriptors') return stage === 'arriving';
      return stage !== 'closing' && stage !== 'relaying' && held(connection) > 0;
    });
    return candidates.every(({ acceptedMs }) => acceptedMs >= session.acceptedMs);
  }

  #reported(event: Told, record: SessionRecord): void {
    if (event.kind === 'turned-away') {
      const { reason, client, backend, attempts } = record;
      const isRefused = reason === 'overloaded' && client === event.peer && attempts === 0;
      must(
        isRefused && backend === undefined,
        () => `a client that was turned away is reported as ${reason}`,
      );
      return void this.closed.add(`${event.listener} ${reason}`);
    }
    const session = this.#ending;
    must(session !== undefined && event.kind === 'ended', () => 'a report without an end');
    this.#ending = undefined;
    checkRecord(session, event, record, this.#nowMs);
    this.closed.add(`${session.listener.slot} ${record.reason}`);
    this.reasonsSeen.add(record.reason);
  }

  #settled(worker: WorkerView, event: Told): void {
    must(this.#ending === undefined, () => `session ${this.#ending?.id} ended without a report`);
    this.#arrivals.settle(worker, this.#nowMs);
    const fresh = [...worker.sessions.values()].filter(({ stage }) => stage === 'fresh');
    this.#queueing.join(worker, fresh, this.#nowMs);
    if ('session' in event && event.kind !== 'ended') {
      const session = sessionOf(worker, event);
      must(!session.mustOriginate, () => `session ${session.id} does not speak TLS to its backend`);
      must(session.stage !== 'dialed', () => `session ${session.id} was dialed and is not relayed`);
      const left = session.leftMs < never || (event.kind === 'half-closed' && event.unsentBytes === 0);
      must(!left || !isWaiting(session), () => `session ${session.id} has left and is ${session.stage}`);
    }
    for (const session of worker.sessions.values()) {
      must(!session.mustAbort, () => `session ${session.id} dials on for a pool that is held`);
      must(session.stage !== 'doomed', () => `session ${session.id} is neither dialed nor closed`);
    }
    for (const session of worker.sessions.values()) {
      const { id, stage } = session;
      must(
        !isEnded(worker, event, session) || stage === 'closing',
        () => `session ${id} is ${stage}, and was to end`,
      );
    }
    if (event.kind === 'refuse-waiting') mustHaveRefused(worker, event.pool);
    if (event.kind === 'health-changed' && event.health === 'down') this.#mustHaveCut(worker, event.backend);
    if (event.kind === 'deadline' && this.#nowMs >= worker.drainMs) {
      worker.drainMs = never;
      for (const session of worker.sessions.values()) {
        const { id, stage } = session;
        must(stage === 'closing', () => `session ${id} is ${stage} after the drain`);
        session.actByMs = Math.min(
          session.actByMs,
          session.actByMs === never ? never : this.#nowMs + lingerMs,
        );
      }
    }
  }

  #mustHaveCut(worker: WorkerView, backend: number): void {
    for (const { id, stage, lease, pool } of worker.sessions.values()) {
      const isHit = stage === 'relaying' && lease?.backend.slot === backend;
      const isKept = pool?.plan.policy.whenBackendDown !== 'close';
      must(!isHit || isKept, () => `session ${id} outlives its backend ${backend}`);
    }
  }

  /** What may have become of a waiting session without a command. */
  #blur(session: ShadowSession, event: Told): void {
    if (session.stage === 'pausing' && event.kind === 'deadline') {
      if (session.pool !== undefined && queuePolicyOf(session.pool.plan).size === 0) return;
      session.surelyTried = new Set();
      session.maybeTried = new Set();
      becomeUnsure(session, this.#nowMs);
    } else if (session.stage === 'queued' && session.maybeTried.size > 0) {
      session.surelyTried = new Set();
      becomeUnsure(session, this.#nowMs);
    }
  }

  #release(session: ShadowSession): void {
    const { lease } = session;
    if (lease === undefined) return;
    if (lease.admission !== undefined) this.#breaker(lease.backend.slot).abandon(lease.admission);
    this.pools.remove(lease.pool);
    this.backends.remove(lease.backend.slot);
    session.lease = undefined;
  }

  #breaker(slot: number): ShadowBreaker {
    const breaker = this.breakers[slot];
    must(breaker !== undefined, () => `there is no backend ${slot}`);
    return breaker;
  }
}

function sessionOf(worker: WorkerView, event: { readonly session: number }): ShadowSession {
  const session = worker.sessions.get(event.session);
  must(session !== undefined, () => `the driver speaks of session ${event.session}, which has ended`);
  return session;
}

function mustHaveRefused({ sessions }: WorkerView, slot: number): void {
  for (const { id, stage, pool } of sessions.values()) {
    const isThere = stage === 'queued' && pool?.plan.slot === slot;
    must(!isThere, () => `session ${id} still waits for pool ${slot}, which refuses`);
  }
}

function sameText(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
