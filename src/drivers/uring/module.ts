import type { DriverModule } from '../driver.ts';
import { KernelResources, resourceBytes } from './kernel-resources.ts';
import { loadLibc } from './libc.ts';

export const uring: DriverModule = {
  name: 'uring',
  sharesPorts: true,
  refuses: ({ tls }, pools) => {
    if (tls !== 'off') return 'it terminates TLS';
    const dialed = pools.find(({ policy: { connect } }) => connect.tls !== 'off');
    return dialed && `pool ${dialed.name} is dialed over TLS`;
  },
  load: async () => (await import('./driver.ts')).createUringDriver,
  resources: {
    bytes: resourceBytes,
    reclaim: (resources) => new KernelResources(resources).reclaim(loadLibc()),
  },
};
