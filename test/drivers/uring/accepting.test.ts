import { describe, expect, it } from 'vitest';
import type { DescriptorBudget } from '../../../src/drivers/descriptor-budget.ts';
import { descriptorWaitMs } from '../../../src/drivers/shared.ts';
import { SpareDescriptor } from '../../../src/drivers/spare-descriptor.ts';
import { EAGAIN } from '../../../src/drivers/uring/kernel.ts';
import { Listening } from '../../../src/drivers/uring/listening.ts';
import type { Ring } from '../../../src/drivers/uring/ring.ts';
import type { Sockets } from '../../../src/drivers/uring/sockets.ts';

/** An address to which clients come while so many descriptors are about to be closed; first none is left. */
function listeningOn({ closesDue }: { readonly closesDue: number }) {
  const told: string[] = [];
  const waiting: number[] = [];
  const system = { free: 0, due: closesDue, nowMs: 0 };
  const address = { host: '127.0.0.1', port: 8080 };
  const listening = new Listening(
    {
      ring: { waitUntilReadable: () => {} } as Partial<Ring> as Ring,
      sockets: {
        unblock: () => {},
        hasWaiting: () => waiting.length > 0,
        waiting: () => waiting.length,
        acceptNow: () => {
          if (waiting.length === 0) told.push('accepted nobody');
          return waiting.shift() ?? -EAGAIN;
        },
      } as Partial<Sockets> as Sockets,
      now: () => system.nowMs,
      accepted: (_, fd) => {
        system.free--;
        told.push(`accepted ${fd}`);
      },
      turnAway: (_, fd) => told.push(`turned away ${fd}`),
      descriptors: {
        spare: new SpareDescriptor(),
        budget: {
          get mayAccept() {
            return system.free > 0;
          },
        } as Partial<DescriptorBudget> as DescriptorBudget,
        closeNow: () => {
          const wereAny = system.due > 0;
          system.free += system.due;
          system.due = 0;
          return wereAny;
        },
      },
      exhausted: (resumeMs) => told.push(`waits until ${resumeMs}`),
      rescheduled: () => {},
      left: () => {},
    },
    { asked: address, bound: address, fd: 3, number: 0 },
    0,
  );
  return {
    system,
    told,
    come(...clients: readonly number[]): void {
      waiting.push(...clients);
      listening.completed(1);
    },
    resumeAt(nowMs: number): void {
      system.nowMs = nowMs;
      listening.resume();
      listening.completed(1);
    },
  };
}

it('Listening of the uring driver accepts those who wait, and then tries no further', () => {
  const { come, system, told } = listeningOn({ closesDue: 0 });
  system.free = 9;
  come(7, 8);
  come(9);
  expect(told).toEqual(['accepted 7', 'accepted 8', 'accepted 9']);
});

describe('Listening of the uring driver that has no descriptor left', () => {
  it('accepts with those that are about to be closed', () => {
    const { come, told } = listeningOn({ closesDue: 1 });
    come(7);
    expect(told).toEqual(['accepted 7']);
  });

  it('leaves clients in the queue of the kernel until others have freed some', () => {
    const { come, resumeAt, system, told } = listeningOn({ closesDue: 0 });
    come(7, 8);
    expect(told.splice(0)).toEqual([`waits until ${descriptorWaitMs}`]);
    system.free = 1;
    resumeAt(descriptorWaitMs / 2);
    expect(told.splice(0)).toEqual(['accepted 7', `waits until ${1.5 * descriptorWaitMs}`]);
    system.free = 1;
    resumeAt(descriptorWaitMs);
    expect(told).toEqual(['accepted 8']);
  });

  it('turns clients away that have waited for long enough, and has the next ones wait again', () => {
    const { come, resumeAt, told } = listeningOn({ closesDue: 0 });
    come(7, 8);
    resumeAt(descriptorWaitMs - 1);
    expect(told.splice(0)).toEqual([`waits until ${descriptorWaitMs}`, `waits until ${descriptorWaitMs}`]);
    resumeAt(descriptorWaitMs);
    expect(told.splice(0)).toEqual(['turned away 7', 'turned away 8']);
    come(9);
    expect(told).toEqual([`waits until ${2 * descriptorWaitMs}`]);
  });
});
