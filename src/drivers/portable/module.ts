import type { DriverModule } from '../driver.ts';

export const portable: DriverModule = {
  name: 'portable',
  sharesPorts: process.platform === 'linux' && canReusePort(process.versions.node),
  refuses: () => undefined,
  load: async () => {
    const { createPortableDriver } = await import('./driver.ts');
    return (host) => createPortableDriver(host);
  },
};

/** `reusePort` came with Node 22.12 and 23.1. */
function canReusePort(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
