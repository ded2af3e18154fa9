import { describe, expect, it } from 'vitest';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import type { DialIncident } from '../../src/core/reports.ts';
import { ToldDials } from '../../src/dataplane/told-dials.ts';

const failed: DialIncident = {
  kind: 'dial-failed',
  listener: 'web',
  client: Endpoint.unix,
  pool: 'app',
  backend: '10.0.0.1:80',
  error: 'ECONNREFUSED',
  attempt: 1,
  reason: 'connect-refused',
};

describe('ToldDials', () => {
  it('tells of one failure a second of each backend', () => {
    const told = new ToldDials();
    const other = { ...failed, pool: 'db' };
    expect(told.isDue(failed, 5_000)).toBe(true);
    expect(told.isDue(failed, 5_999)).toBe(false);
    expect(told.isDue(other, 5_999)).toBe(true);
    expect(told.isDue(failed, 6_000)).toBe(true);
  });

  it('tells of so many and no more, and again in the next second', () => {
    const told = new ToldDials();
    const all = Array.from({ length: 1_000 }, (_, number) => ({ ...failed, backend: `10.0.0.1:${number}` }));
    expect(all.filter((one) => told.isDue(one, 0)).length).toBe(64);
    expect(told.isDue(all[999] ?? failed, 1_000)).toBe(true);
  });

  it('blames no backend for what this process lacked', () => {
    expect(new ToldDials().isDue({ ...failed, reason: 'overloaded' }, 0)).toBe(false);
  });
});
