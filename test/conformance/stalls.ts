import { expect } from 'vitest';
import { pause } from './peers.ts';
import type { Spec } from './spec.ts';

/** A process that is stopped for a while (SIGSTOP, a suspended machine) judges no peer by that time. */
export function stalls(spec: Spec): void {
  spec('Driver shows what came during a stall before it calls for the deadline', async (rig) => {
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    rig.inspect(link, 0);
    const order: string[] = [];
    rig.onEvent = ({ kind }) => order.push(kind);
    rig.wakeAt(rig.now() + 100);
    await rig.stall();
    client.write('meanwhile');
    await pause(150);
    rig.resume();
    await rig.until('the deadline', () => {
      if (rig.deadlinesMs.length > 0) order.push('deadline');
      return rig.deadlinesMs.length > 0;
    });
    expect(order).toEqual(['received', 'deadline']);
    rig.close(link, 'reset');
  });

  spec('Driver knows of the bytes that came during a stall when it calls for the deadline', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    const dueMs = rig.now() + 100;
    rig.wakeAt(dueMs);
    await rig.stall();
    client.write('meanwhile');
    await pause(150);
    rig.resume();
    await rig.until('the deadline', () => rig.deadlinesMs.length > 0);
    const lastByteMs = await rig.ask<number>({ what: 'lastByteMs', link });
    expect(lastByteMs).toBeGreaterThan(dueMs);
    expect(lastByteMs).toBeLessThanOrEqual(rig.deadlinesMs[0] ?? 0);
    backend.resume();
  });

  spec(
    'Driver tells that a backend was reached during a stall before it calls for the deadline',
    async (rig) => {
      await rig.client(await rig.listen());
      const { link } = await rig.event('accepted');
      const address = await rig.backend((socket) => socket.resume());
      const order: string[] = [];
      rig.onEvent = ({ kind }) => order.push(kind);
      rig.dial(link, address);
      rig.wakeAt(rig.now() + 100);
      await rig.stall();
      await pause(150);
      rig.resume();
      await rig.until('the deadline', () => {
        if (rig.deadlinesMs.length > 0) order.push('deadline');
        return rig.deadlinesMs.length > 0;
      });
      expect(order[0]).toBe('connected');
      rig.close(link, 'reset');
    },
  );
}
