import { limitsClients } from '../limits.ts';
import { type Gate, refuse } from './gate.ts';

/** The client's own rate and connections, now that it is known who it is. */
export const clientLimits: Gate = {
  standsAt: ({ policy }) => limitsClients(policy.limits.perClient),
  enter(client, nowMs) {
    const { limits } = client.listener.plan.policy;
    const refusal = client.permit?.admitClient(limits.perClient, client.endpoint, nowMs);
    if (refusal === undefined) return 'passes';
    client.releasePermit();
    return refuse(refusal);
  },
};
