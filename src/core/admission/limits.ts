import { admit, ListenerPermit } from '../limits.ts';
import { type Gate, refusal } from './gate.ts';

/** The listener's rate and its connections. */
export const listenerLimits: Gate = {
  appliesTo: () => true,
  enter(client, nowMs) {
    const { slot, policy } = client.listener.plan;
    const permit = admit(client.context.ledger, slot, policy.limits, nowMs);
    if (!(permit instanceof ListenerPermit)) return refusal(permit);
    client.permit = permit;
    return 'passes';
  },
};

/**
 * The client's own rate and connections, now that it is known who it is. Where it has no limits it is counted
 * nevertheless, so that one which holds all places can be found; of a session's cost that is less than a hundredth.
 */
export const clientLimits: Gate = {
  appliesTo: () => true,
  enter(client, nowMs) {
    const { limits } = client.listener.plan.policy;
    const { ledger } = client.context;
    const reason = client.permit?.admitClient(ledger, limits.perClient, client.endpoint, nowMs);
    if (reason === undefined) return 'passes';
    client.releasePermit();
    return refusal(reason);
  },
};
