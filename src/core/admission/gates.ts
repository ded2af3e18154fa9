/** What a client passes before it has a pool, in this order. */
import type { ListenerPlan } from '../plan.ts';
import { accessOfAnnounced, accessOfPeer } from './access-list.ts';
import { firstBytes } from './first-bytes.ts';
import type { Gate } from './gate.ts';
import { clientLimits, listenerLimits } from './limits.ts';
import { headerSource, proxyHeader } from './proxy-header.ts';
import { routing } from './routing.ts';
import { tls } from './tls.ts';

const gates: readonly Gate[] = [
  accessOfPeer,
  headerSource,
  listenerLimits,
  proxyHeader,
  accessOfAnnounced,
  clientLimits,
  tls,
  firstBytes,
  routing,
];

export function gatesOf(listener: ListenerPlan): readonly Gate[] {
  return gates.filter((gate) => gate.appliesTo(listener));
}
