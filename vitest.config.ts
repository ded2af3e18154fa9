import { defineConfig } from 'vitest/config';

/**
 * unit: pure code and drivers over real sockets, in this process.
 * integration: the built executable as a process of its own; SLUICE_NODE names the Node that runs it.
 */
export default defineConfig({
  test: {
    // By default one core is left free, and of two then one idles.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          testTimeout: 20_000,
        },
      },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], testTimeout: 60_000 } },
    ],
  },
});
