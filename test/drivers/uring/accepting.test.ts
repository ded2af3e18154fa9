import { describe, expect, it } from 'vitest';
import type { DescriptorBudget } from '../../../src/drivers/descriptor-budget.ts';
import { SpareDescriptor } from '../../../src/drivers/spare-descriptor.ts';
import { EAGAIN } from '../../../src/drivers/uring/kernel.ts';
import { Listening } from '../../../src/drivers/uring/listening.ts';
import type { Ring } from '../../../src/drivers/uring/ring.ts';
import type { Sockets } from '../../../src/drivers/uring/sockets.ts';

/** One client waits while no descriptor is left, and so many are about to be closed. */
function comesWhile({ closesDue }: { readonly closesDue: number }): readonly string[] {
  const told: string[] = [];
  const waiting = [7];
  let free = 0;
  let due = closesDue;
  const address = { host: '127.0.0.1', port: 8080 };
  const listening = new Listening(
    {
      ring: { waitUntilReadable: () => {} } as Partial<Ring> as Ring,
      sockets: {
        unblock: () => {},
        acceptNow: () => waiting.pop() ?? -EAGAIN,
      } as Partial<Sockets> as Sockets,
      now: () => 0,
      accepted: (_, fd) => told.push(`accepted ${fd}`),
      turnAway: (_, fd) => told.push(`turned away ${fd}`),
      spare: new SpareDescriptor(),
      budget: {
        get mayAccept() {
          return free > 0;
        },
      } as Partial<DescriptorBudget> as DescriptorBudget,
      closeNow: () => {
        const wereAny = due > 0;
        free += due;
        due = 0;
        return wereAny;
      },
      exhausted: () => told.push('exhausted'),
      rescheduled: () => {},
      left: () => {},
    },
    { asked: address, bound: address, fd: 3, number: 0 },
    0,
  );
  listening.completed(1);
  return told;
}

describe('Listening of the uring driver that has no descriptor left', () => {
  it('accepts with those that are about to be closed', () => {
    expect(comesWhile({ closesDue: 2 })).toEqual(['accepted 7']);
  });

  it('turns away where none is', () => {
    expect(comesWhile({ closesDue: 0 })).toEqual(['turned away 7']);
  });
});
