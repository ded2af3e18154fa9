import { admit, ListenerPermit } from '../limits.ts';
import { type Gate, refuse } from './gate.ts';

/** The listener's rate and its connections. */
export const listenerLimits: Gate = {
  standsAt: () => true,
  enter(client, nowMs) {
    const { slot, policy } = client.listener.plan;
    const permit = admit(client.context.ledger, slot, policy.limits, nowMs);
    if (!(permit instanceof ListenerPermit)) return refuse(permit);
    client.permit = permit;
    return 'passes';
  },
};
