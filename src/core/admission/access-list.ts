/** The access list: of the peer itself, or of the client that the peer announces once its header was read. */
import { isDenied } from '../access/access-policy.ts';
import type { Gate } from './gate.ts';
import { refusal } from './gate.ts';
import { mayAnnounce } from './proxy-header.ts';

export const accessOfPeer: Gate = {
  appliesTo: ({ policy: { access } }) => access.allow !== undefined || access.deny !== undefined,
  enter(client) {
    const { policy } = client.listener.plan;
    if (mayAnnounce(policy, client.endpoint) || !isDenied(policy.access, client.endpoint)) return 'passes';
    return refusal('denied');
  },
};

export const accessOfAnnounced: Gate = {
  appliesTo: ({ policy: { access } }) => access.allow !== undefined || access.deny !== undefined,
  enter(client) {
    const isAnnounced = client.announced !== undefined;
    if (!isDenied(client.listener.plan.policy.access, client.endpoint, isAnnounced)) return 'passes';
    client.releasePermit();
    return refusal('denied');
  },
};
