/**
 * A small world in virtual time: clients, backends, an operator, checks and one to three workers over one
 * ledger. Each step is drawn by chance from a seed; after each, everything that must hold is checked.
 */
import type { Core, CoreEvent, WorkerEvent } from '../../src/core/contract.ts';
import { createCore } from '../../src/core/core.ts';
import { healthWords, Ledger } from '../../src/core/ledger/ledger.ts';
import { Links } from '../../src/core/links.ts';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import type { Plan } from '../../src/core/plan.ts';
import type { Reason } from '../../src/core/reasons.ts';
import type { Session } from '../../src/core/session.ts';
import { Dice } from './dice.ts';
import {
  checkAccounts,
  checkCounts,
  checkDeadlines,
  checkPunctual,
  checkRest,
  checkSplits,
  watchRoom,
} from './invariants.ts';
import { Journal } from './journal.ts';
import { Operator, slots } from './operator.ts';
import { Peers } from './peers.ts';
import { Shadow } from './shadow.ts';
import { WorkerView } from './shadow-session.ts';
import type { SessionEvent } from './told.ts';
import { must, Violation } from './violation.ts';
import { type Connection, type Stage, VirtualDriver } from './virtual-driver.ts';

interface Worker {
  readonly core: Core;
  readonly driver: VirtualDriver;
  readonly view: WorkerView;
  /** What the control plane has sent and the worker has not taken in yet. */
  readonly inbox: WorkerEvent[];
}

export class Simulation {
  readonly #dice: Dice;
  readonly #operator: Operator;
  readonly #journal = new Journal(Number(process.env['SLUICE_JOURNAL'] ?? 30));
  readonly #buffer: ArrayBuffer;
  readonly #capacity;
  readonly #ledger: Ledger;
  readonly #shadow: Shadow;
  readonly #workers: Worker[] = [];
  readonly #peers: Peers;
  /** How many sessions the world aims at: few leave limits alone, many press against all of them. */
  readonly #crowd: number;
  /** By how many milliseconds time goes on at once. */
  readonly #strides: readonly number[];
  #plan: Plan;
  #drainMs: number | undefined;
  #nowMs = 1_000;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    const workers = this.#dice.between(1, 3);
    this.#crowd = this.#dice.one([6, 20, 60]);
    this.#strides = this.#dice.one([
      [0, 1, 1, 2],
      [0, 1, 2, 3, 5, 10, 30],
      [0, 1, 2, 5, 20, 60, 100, 300],
    ]);
    this.#operator = new Operator(this.#dice);
    this.#plan = this.#operator.plan;
    this.#capacity = {
      workers,
      listeners: slots.listeners,
      pools: slots.pools,
      backends: slots.backends,
      splits: slots.splits,
      clients: 64,
    };
    this.#buffer = new ArrayBuffer(Ledger.byteLength(this.#capacity));
    this.#ledger = new Ledger(this.#buffer, this.#capacity, 'main');
    this.#shadow = new Shadow(this.#ledger);
    this.#peers = new Peers(this.#dice, ({ index }, event, told) => {
      const worker = this.#workers[index];
      if (worker !== undefined) this.#say(worker, event, told);
    });
    for (let index = 0; index < workers; index++) this.#start(index);
  }

  /**
   * Takes so many steps and then lets everything finish. Throws at the first violation, and says how it came;
   * otherwise tells for which reasons sessions were closed.
   */
  static run(seed: number, steps: number): ReadonlySet<Reason> {
    let step = 0;
    const simulation = new Simulation(seed);
    try {
      for (; step < steps; step++) simulation.#step(step / steps);
      simulation.#finish();
      return simulation.#shadow.reasonsSeen;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Violation(
        `${message}\nseed ${seed}, step ${step}: repeat with SLUICE_SEED=${seed}\n${simulation.#journal}\nplan: ${simulation.#journal.written(simulation.#plan)}`,
        { cause: error },
      );
    }
  }

  #step(progress: number): void {
    const dice = this.#dice;
    const peers = this.#peers;
    const isCrowded = this.#active() >= this.#crowd;
    switch (
      dice.weighted({
        connect: isCrowded ? 4 : 30,
        answerDial: 30,
        speak: 30,
        handOver: 30,
        shakeHands: 8,
        originate: 15,
        exhaust: 0.5,
        turnAway: 0.5,
        bytes: 8,
        finish: 8,
        leave: 5,
        reset: 3,
        goAway: 12,
        elapse: 25,
        deliver: 8,
        manner: 2,
        health: 2,
        reload: 3,
        operate: 4,
        close: 1,
        die: 0.1,
        drain: progress > 0.85 ? 0.4 : 0,
      })
    ) {
      case 'connect':
        return this.#connect();
      case 'answerDial':
        return this.#withSession(['dialing'], (worker, connection) =>
          peers.answerDial(worker, connection, dice.chance(0.1)),
        );
      case 'originate':
        return this.#withSession(['originating'], (worker, connection) =>
          peers.originate(worker, connection, false),
        );
      case 'speak':
        return this.#withSession(['waiting', 'handshaking', 'dialing', 'relaying'], (worker, connection) =>
          peers.speak(worker, connection, this.#nowMs),
        );
      case 'handOver':
        return this.#withSession(['waiting'], (worker, connection) => peers.handOver(worker, connection));
      case 'shakeHands':
        return this.#withSession(['handshaking'], (worker, connection) =>
          peers.shakeHands(worker, connection),
        );
      case 'bytes':
        return this.#withSession(['relaying'], (_worker, connection) => {
          connection.lastByteMs = this.#nowMs;
        });
      case 'finish':
        return this.#withSession(['relaying'], (worker, connection) => peers.finish(worker, connection));
      case 'leave':
        return this.#withSession(['waiting', 'handshaking', 'dialing', 'originating'], (worker, connection) =>
          peers.leave(worker, connection),
        );
      case 'reset':
        return this.#withSession(
          ['waiting', 'handshaking', 'dialing', 'originating', 'relaying', 'closing'],
          (worker, connection) => peers.reset(worker, connection),
        );
      case 'goAway':
        return this.#withSession(['closing', 'dialing'], (worker, connection) => {
          // Some clients never answer a FIN.
          const { id, link, backend } = connection;
          const isStubborn = id % 4 === 0 && link.closed !== 'reset' && backend?.closed !== 'reset';
          if (!isStubborn) peers.goAway(worker, connection);
        });
      case 'exhaust':
        return this.#say(dice.one(this.#workers), {
          kind: 'exhausted',
          what: dice.one(['memory', 'descriptors']),
        });
      case 'turnAway':
        return this.#turnAway(dice.one(this.#workers));
      case 'elapse':
        return this.#elapse(dice.one(this.#strides));
      case 'deliver':
        return this.#deliver(dice.one(this.#workers));
      case 'manner':
        return peers.changeManner();
      case 'health':
        return this.#flipHealth();
      case 'reload':
        return this.#reload();
      case 'operate':
        return this.#tellPlan(this.#operator.operate(this.#nowMs));
      case 'close':
        return this.#close(dice.one(this.#workers));
      case 'die':
        return this.#die(dice.one(this.#workers));
      case 'drain':
        return this.#drain(this.#nowMs + dice.between(0, 500));
    }
  }

  #active(): number {
    return this.#workers.reduce((sum, { driver }) => sum + driver.connections.size, 0);
  }

  #withSession(stages: readonly Stage[], act: (worker: WorkerView, connection: Connection) => void): void {
    const found = this.#workers.flatMap(({ view }) =>
      view.driver.in(...stages).map((connection) => ({ worker: view, connection })),
    );
    if (found.length === 0) return;
    const { worker, connection } = this.#dice.one(found);
    act(worker, connection);
  }

  #connect(): void {
    if (this.#drainMs !== undefined && this.#nowMs >= this.#drainMs) return;
    const worker = this.#dice.one(this.#workers);
    // No two clients come at the same time, so that it is known who of them is overdue first.
    this.#nowMs += 2 ** -10;
    // A listener is in the worker's plan for as long as anybody may come to it, also where the latest plan has it no
    // more.
    const { planned } = worker.view;
    if (planned.length === 0) return;
    const listener = this.#dice.one(planned);
    this.#peers.connect(worker.view, listener);
  }

  /** A client comes that there is no descriptor for. */
  #turnAway(worker: Worker): void {
    const { planned } = worker.view;
    if (planned.length === 0) return;
    const peer = Endpoint.parse('192.0.2.1', 1_024) ?? Endpoint.unix;
    this.#say(worker, { kind: 'turned-away', listener: this.#dice.one(planned), peer });
  }

  /** Time goes on, and every worker that is not late is given the deadlines that have come. */
  #elapse(ms: number, mayBeLate = true): void {
    const nextMs = Math.min(
      ...this.#workers.map(({ core }) => core.nextDeadlineMs ?? Number.POSITIVE_INFINITY),
    );
    const toNext = this.#dice.chance(0.2) && nextMs < Number.POSITIVE_INFINITY;
    this.#nowMs = toNext ? Math.max(this.#nowMs, nextMs) : this.#nowMs + ms;
    const refused = this.#operator.endHolds(this.#nowMs);
    if (refused !== undefined) this.#tellPlan(refused);
    for (const worker of this.#workers) {
      if (mayBeLate && this.#dice.chance(0.1)) continue;
      for (let turns = 0; (worker.core.nextDeadlineMs ?? Number.POSITIVE_INFINITY) <= this.#nowMs; turns++) {
        must(
          turns < 50,
          () => `worker ${worker.view.index} has one deadline after the other and no time passes`,
        );
        this.#say(worker, { kind: 'deadline' });
      }
      checkPunctual(this.#shadow, worker.view, this.#nowMs);
    }
  }

  #deliver(worker: Worker): void {
    const message = worker.inbox.shift();
    if (message !== undefined) this.#say(worker, message);
  }

  #tellAll(message: WorkerEvent): void {
    for (const { inbox } of this.#workers) inbox.push(message);
  }

  #flipHealth(): void {
    // Rather one that has something to lose.
    const [busy] = this.#dice.one(this.#workers).driver.in('relaying');
    const any = this.#dice.between(0, slots.backends - 1);
    const backend = this.#dice.chance(0.4) ? (busy?.slot ?? any) : any;
    const health = this.#ledger.healthOf(backend) === 'down' ? 'up' : 'down';
    if (health === 'up') this.#ledger.recoveredMs[backend] = this.#nowMs;
    Atomics.store(this.#ledger.health, backend, healthWords.indexOf(health));
    this.#journal.note(this.#nowMs, `backend ${backend} is ${health}`);
    this.#tellAll({ kind: 'health-changed', backend, health });
    this.#watch();
  }

  /** An operator ends some sessions. */
  #close({ driver, view, inbox }: Worker): void {
    const wanted = [...driver.connections.keys()].filter(() => this.#dice.chance(0.3));
    const serials = wanted.flatMap((id) => view.serialOf(id) ?? []);
    inbox.push({ kind: 'end-sessions', serials, how: this.#dice.one(['fin', 'reset']) });
  }

  /** Those who wait in some pools are refused first. */
  #tellPlan(refused: readonly number[]): void {
    for (const pool of refused) this.#tellAll({ kind: 'refuse-waiting', pool });
    const before = this.#plan;
    this.#plan = this.#operator.plan;
    for (const { slot, hold } of this.#plan.pools) {
      const isBegun = before.pools.some((one) => one.slot === slot && one.hold !== hold);
      if (hold?.phase !== 'releasing' || !isBegun) continue;
      this.#ledger.beginRelease(slot, this.#nowMs);
      this.#shadow.released(slot, hold, this.#nowMs);
    }
    this.#tellAll({ kind: 'plan', plan: this.#plan });
  }

  #reload(): void {
    const everybodyKnows = this.#workers.every(({ inbox }) => inbox.length === 0);
    const { poolActive, poolQueued, backendActive } = this.#ledger;
    this.#plan = this.#operator.reload({
      pool: (slot) => {
        if (!everybodyKnows || poolActive.total(slot) + poolQueued.total(slot) > 0) return false;
        this.#ledger.clear('pools', slot);
        return true;
      },
      backend: (slot) => {
        if (!everybodyKnows || backendActive.total(slot) > 0) return false;
        this.#ledger.clear('backends', slot);
        this.#shadow.cleared(slot);
        return true;
      },
    });
    this.#tellAll({ kind: 'plan', plan: this.#plan });
  }

  #drain(untilMs: number): void {
    // No other time has this fraction, so that it is known what is due first.
    this.#drainMs ??= Math.floor(untilMs) + 2 ** -12;
    this.#tellAll({ kind: 'drain', untilMs: this.#drainMs });
  }

  #die({ view: { index } }: Worker): void {
    const worker = this.#workers[index];
    if (worker === undefined) return;
    this.#journal.note(this.#nowMs, `worker ${index} dies`);
    this.#shadow.died(worker.view);
    this.#ledger.releaseAllOf(index);
    this.#start(index);
    for (const other of this.#workers) this.#say(other, { kind: 'woken' });
  }

  #start(index: number): void {
    const links = new Links<Session>();
    const driver = new VirtualDriver(links);
    const ledger = new Ledger(this.#buffer, this.#capacity, index);
    const deps = { ledger, worker: index, activity: driver, random: this.#dice.random };
    const core = createCore(deps, links);
    const inbox: WorkerEvent[] = [];
    const healthIsStale = () => inbox.some(({ kind }) => kind === 'health-changed');
    const others = () => this.#workers.flatMap(({ view }) => (view.index === index ? [] : [view]));
    const isNewsDue = () => this.#workers.some((one) => one.inbox.length > 0);
    const serials = new Map<number, number>();
    const serialOf = (id: number): number | undefined => {
      const known = serials.get(id);
      if (known !== undefined) return known;
      const connection = driver.connections.get(id);
      const serial = connection && links.sessionOf(connection.link.number)?.serial;
      if (serial !== undefined) serials.set(id, serial);
      return serial;
    };
    const view = new WorkerView(index, driver, { healthIsStale, others, isNewsDue, serialOf });
    const worker = { core, driver, inbox, view };
    this.#workers[index] = worker;
    this.#say(worker, { kind: 'plan', plan: this.#plan });
    if (this.#drainMs !== undefined) this.#say(worker, { kind: 'drain', untilMs: this.#drainMs });
  }

  /** `told`: what it is in words of sessions. A worker that is woken handles that at once. */
  #say(worker: Worker, event: CoreEvent, told?: SessionEvent): void {
    const { core, driver, view } = worker;
    this.#journal.heard(this.#nowMs, view.index, event, told);
    const { count, commands: all } = core.handle(event, this.#nowMs);
    const commands = all.slice(0, count);
    if (event.kind === 'received') event.bytes.fill(0xff);
    // Its link may end, and give its number to another, before the session ends.
    if (told?.kind === 'accepted') view.serialOf(told.session);
    this.#journal.answered(commands);
    const isOfLink = 'link' in event;
    must(isOfLink === (told !== undefined), () => `${event.kind} is not translated`);
    this.#shadow.observe(view, told ?? (event as WorkerEvent), driver.told(commands), this.#nowMs);
    this.#shadow.told(commands.flatMap((one) => (one.kind === 'tell' ? [one.incident] : [])));
    for (const command of commands) {
      if (command.kind !== 'report' && command.kind !== 'tell' && command.kind !== 'wake')
        driver.execute(command, this.#nowMs);
    }
    if (event.kind === 'closed' || event.kind === 'connect-failed') driver.forget(event.link);
    driver.check();
    for (const command of commands) {
      const woken = command.kind === 'wake' ? this.#workers[command.worker] : undefined;
      must(woken !== worker, () => `worker ${view.index} wakes itself`);
      if (woken !== undefined) this.#say(woken, { kind: 'woken' });
    }
    const views = this.#workers.map((one) => one.view);
    checkCounts(this.#ledger, this.#shadow, views);
    checkAccounts(this.#ledger, this.#shadow, views);
    checkSplits(this.#ledger, this.#shadow);
    checkDeadlines(core, this.#shadow, view);
    this.#watch();
  }

  #watch(): void {
    for (const { view } of this.#workers) watchRoom(this.#shadow, view, this.#nowMs);
  }

  /** No more clients, and everyone else does what is expected: nothing must be left. */
  #finish(): void {
    this.#peers.serveAll();
    for (let turns = 0; this.#active() > 0; turns++) {
      must(turns < 10_000, () => 'sessions are stuck');
      for (const worker of this.#workers) {
        while (worker.inbox.length > 0) this.#deliver(worker);
        const { driver, view } = worker;
        for (const connection of driver.in('dialing')) this.#peers.answerDial(view, connection, true);
        for (const connection of driver.in('originating')) this.#peers.originate(view, connection, true);
        for (const connection of driver.in('relaying')) this.#peers.finish(view, connection);
        for (const connection of driver.in('closing', 'dialing')) this.#peers.goAway(view, connection);
      }
      this.#elapse(50, false);
    }
    this.#elapse(50, false);
    checkRest(
      this.#ledger,
      this.#shadow,
      this.#workers.map(({ view }) => view),
    );
    for (const { core } of this.#workers) {
      must(core.nextDeadlineMs === undefined || this.#drainMs !== undefined, () => 'a deadline for nobody');
    }
  }
}
