/**
 * A described client connects to a core over a draft of the ledger, and sends what its description says. The core is
 * the one of a worker, and its commands are done as a driver would: nothing else decides here.
 */
import { Admission } from '../admission/admission.ts';
import { assert } from '../assert.ts';
import type { Command, CoreEvent } from '../contract.ts';
import { createCore } from '../core.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { Links } from '../links.ts';
import { Endpoint } from '../net/endpoint.ts';
import type { ListenerPlan, Plan } from '../plan.ts';
import type { Reason } from '../reasons.ts';
import type { Session } from '../session.ts';
import type { DescribedClient } from './described-client.ts';
import type { Wait } from './explanation.ts';

export interface DryRun {
  /** As it stands where nothing more happens by itself: what it is known by, its pool, its backend. */
  readonly session: Session;
  /** Undefined where it was dialed for or waits in a queue. */
  readonly refusal: Reason | undefined;
  readonly isDialed: boolean;
  /** The waits, none of which ended before its time-out. */
  readonly waits: readonly Wait[];
  /** Whether its PROXY header was asked for, where one is believed. */
  readonly askedForHeader: boolean;
}

export function dryRun(
  plan: Plan,
  listener: ListenerPlan,
  ledger: Ledger,
  described: DescribedClient,
  peer: Endpoint,
  nowMs: number,
  random: () => number,
): DryRun {
  const links = new Links<Session>();
  const { readFirstBytes } = described;
  const core = createCore({ ledger, worker: 0, activity: silence, random, readFirstBytes }, links);
  const waits: Wait[] = [];
  let atMs = nowMs;
  let askedForHeader = false;
  const handle = (event: CoreEvent): readonly Command[] => {
    const { count, commands } = core.handle(event, atMs);
    const news = commands.slice(0, count);
    for (const command of news) if (command.kind === 'discard') described.discard(command.bytes);
    return news;
  };
  handle({ kind: 'plan', plan: { listeners: [listener], pools: plan.pools } });
  let commands = handle({ kind: 'accepted', link: 0, listener: listener.slot, peer });
  const session = links.sessionOf(0);
  assert(session !== undefined, 'a core has the listeners of its plan');
  const seen = (refusal: Reason | undefined, isDialed: boolean): DryRun => ({
    session,
    refusal,
    isDialed,
    waits,
    askedForHeader,
  });
  for (;;) {
    const last = commands.at(-1);
    if (last?.kind === 'connect') return seen(undefined, true);
    if (last?.kind === 'close') {
      const reports = handle({ kind: 'closed', link: 0, end: 'closed', sentBytes: 0 });
      const report = reports.find((command) => command.kind === 'report');
      return seen(report?.record.reason, false);
    }
    const waitsFor = session.stage instanceof Admission ? session.stage.waitsFor : undefined;
    if (waitsFor === undefined) return seen(undefined, false);
    askedForHeader ||= waitsFor === 'proxy-header';
    const asked = commands.findLast((command) => command.kind === 'inspect' || command.kind === 'start-tls');
    if (asked?.kind === 'start-tls') {
      const detail = described.handshake(listener);
      const isAgreed = typeof detail !== 'string';
      commands = handle(
        isAgreed
          ? { kind: 'tls-established', link: 0, tls: detail }
          : { kind: 'tls-failed', link: 0, detail },
      );
      continue;
    }
    const bytes = described.bytesFor(waitsFor);
    if (asked !== undefined && 'beyond' in asked && bytes.length > asked.beyond) {
      commands = handle({ kind: 'received', link: 0, bytes });
      continue;
    }
    waits.push({ for: waitsFor, upToMs: session.dueMs - atMs });
    atMs = session.dueMs;
    commands = handle({ kind: 'deadline' });
  }
}

const silence = {
  lastByteMs: () => 0,
  sentBytes: () => 0,
  waitingBytes: () => 0,
  localEndpoint: () => Endpoint.unix,
};
