import type { ListenerPolicy, PoolPlan } from '../../core/plan.ts';
import type { DriverModule } from '../driver.ts';
import { whyNotOpenSsl } from '../tls/openssl/probe.ts';
import { DriverResources, driverResourceBytes } from './resources.ts';

export const uring: DriverModule = {
  name: 'uring',
  sharesPorts: true,
  refuses: ({ tls }, pools) => {
    const use = useOfTls(tls, pools);
    const obstacle = use && whyNotOpenSsl();
    return obstacle && `${use}, and ${obstacle}`;
  },
  load: async () => (await import('./driver.ts')).createUringDriver,
  resources: {
    bytes: driverResourceBytes,
    reclaim: (resources) => new DriverResources(resources).reclaim(),
  },
};

/** What a listener needs TLS for; undefined where it needs none. */
export function useOfTls(tls: ListenerPolicy['tls'], pools: readonly PoolPlan[]): string | undefined {
  if (tls !== 'off') return 'it terminates TLS';
  const dialed = pools.find(({ policy: { connect } }) => connect.tls !== 'off');
  return dialed && `pool ${dialed.name} is dialed over TLS`;
}
