import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const ofDrivers = ['test/drivers/**/*.test.ts', 'test/conformance/**/*.test.ts'];
const ofProcesses = 'test/integration/**/*.test.ts';

/**
 * unit: code in this process. What files import is loaded once, which saves half of their time.
 * drivers: the same over real sockets, rings and threads. Each file has a process of its own, since they count its
 * descriptors, its memory and its threads.
 * integration: the built executable as a process of its own; SLUICE_NODE names the Node that runs it. These tests often
 * wait, so that three files at a time keep two cores busy.
 */
export default defineConfig({
  test: {
    globalSetup: 'test/support/own-temporary-folder.ts',
    // By default one core is left free, and of two then one idles.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...ofDrivers, ofProcesses],
          testTimeout: 20_000,
          isolate: false,
        },
      },
      { test: { name: 'drivers', include: ofDrivers, testTimeout: 20_000 } },
      {
        test: {
          name: 'integration',
          include: [ofProcesses],
          testTimeout: 60_000,
          maxWorkers: Math.ceil(availableParallelism() * 1.5),
          // Only one after another, projects may run different numbers of files at a time.
          sequence: { groupOrder: 1 },
          // What is built runs as it is.
          server: { deps: { external: [/\/dist\/bundle\//] } },
        },
      },
    ],
  },
});
