import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { pendingRestart } from '../../src/control/pending-restart.ts';
import type { DriverModule } from '../../src/drivers/driver.ts';
import { driverModules } from '../../src/drivers/drivers.ts';
import { configOf } from '../support/configuration.ts';

/** Runs as many workers as it is told to, on every system. */
const driver: DriverModule = { ...driverModules.portable, sharesPorts: true };

function config(more: object = {}): Config {
  const required = {
    version: 1,
    listeners: { web: { bind: ':8080', pool: 'app' } },
    pools: { app: { backends: ['10.0.0.1:9000'] } },
  };
  const text = JSON.stringify({ ...required, ...more });
  return configOf(parseConfig(text, { file: 'sluice.yaml', env: {} }));
}

test('What runs already takes no restart, however it is written', () => {
  const running = config({ driver: 'portable', workers: 'auto', memory: { buffers: '32MiB' } });
  const wanted = config({
    driver: 'portable',
    workers: availableParallelism(),
    memory: { buffers: 32 * 2 ** 20 },
  });
  expect(pendingRestart(running, wanted, driver)).toEqual([]);
});

test('Every setting that is read at the start alone is pending while it is another', () => {
  const running = config({ workers: 1 });
  const wanted = config({
    workers: 2,
    memory: { buffers: '16MiB' },
    resolver: { servers: ['10.0.0.2:53'], timeout: '1s' },
  });
  expect(pendingRestart(running, wanted, driver)).toEqual(['workers', 'memory', 'resolver']);
  expect(pendingRestart(running, running, driver)).toEqual([]);
});

test('Another driver is pending, unless it is the one that runs', () => {
  expect(pendingRestart(config(), config({ driver: 'portable' }), driver)).toEqual(['driver']);
  expect(pendingRestart(config(), config({ driver: 'portable' }), driverModules.portable)).toEqual([]);
});
