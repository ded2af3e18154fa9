import { describe, expect, it } from 'vitest';
import { History } from '../../src/telemetry/history.ts';
import { FakeSource, fakePlan } from './fake-source.ts';

describe('History', () => {
  it('has rates of a second, over the time since the point before', () => {
    const source = new FakeSource();
    const history = new History(source);
    const [worker] = source.workers;
    history.add(0);
    for (let accepted = 0; accepted < 20; accepted++) worker.countAccepted(0);
    worker.countClosed(0, 'no-backend');
    worker.countClosed(0, 'finished');
    worker.countBytes(0, 0, 300, 200);
    history.add(5_000);
    history.add(15_000);
    expect(history.listener('web', 0)).toEqual({
      active: [0, 18, 18],
      connections: [0, 4, 0],
      failures: [0, 0.2, 0],
      bytes: [0, 100, 0],
    });
  });

  it('has of a pool what its backends have together, and of each of these its own', () => {
    const source = new FakeSource();
    const history = new History(source);
    const [worker] = source.workers;
    history.add(0);
    for (const slot of [0, 1]) worker.countBackendConnection(slot);
    worker.countDialFailure(1, 'connect-refused');
    worker.poolActive.tryTake(0, 9);
    worker.backendActive.tryTake(1, 9);
    history.add(1_000);
    expect(history.pool('app', 1)).toMatchObject({ active: [1], connections: [2], failures: [1] });
    expect(history.backend('app', '10.0.0.1:9000', 1)).toMatchObject({ connections: [1], failures: [0] });
    expect(history.backend('app', 'unix:/run/app.sock', 1)).toMatchObject({ active: [1], failures: [1] });
  });

  it('keeps a quarter of an hour, and gives what came after a point', () => {
    const source = new FakeSource();
    const history = new History(source);
    for (let point = 0; point < 400; point++) {
      source.workers[0].countAccepted(0);
      history.add(point * 1_000);
    }
    expect(history.next).toBe(400);
    const { connections, active } = history.listener('web', 0) ?? { connections: [], active: [] };
    expect(connections).toEqual(Array.from({ length: 180 }, () => 1));
    expect([active.at(0), active.at(-1)]).toEqual([221, 400]);
    expect(history.listener('web', 398)?.active).toEqual([399, 400]);
    expect(history.listener('web', 400)?.active).toEqual([]);
  });

  it('begins with what comes into the plan, and forgets what leaves it', () => {
    const source = new FakeSource();
    const history = new History(source);
    history.add(0);
    source.plan = fakePlan(['web', 'new'], { app: ['10.0.0.1:9000'] });
    history.add(1_000);
    expect(history.listener('new', 0)?.active).toEqual([0]);
    expect(history.listener('web', 0)?.active).toEqual([0, 0]);
    expect(history.listener('api', 0)).toBeUndefined();
    expect(history.backend('app', 'unix:/run/app.sock', 0)).toBeUndefined();
  });

  it('follows no more than a megabyte can hold, listeners and pools first', () => {
    const source = new FakeSource();
    const names = Array.from({ length: 1_000 }, (_, number) => `10.0.0.1:${number + 1}`);
    const plan = fakePlan(['web'], { app: names });
    const backends = plan.pools[0]?.backends.map((one) => ({ ...one, slot: 0 })) ?? [];
    source.plan = { ...plan, pools: plan.pools.map((pool) => ({ ...pool, backends })) };
    const history = new History(source);
    history.add(0);
    const followed = names.filter((name) => history.backend('app', name, 0) !== undefined);
    expect(followed).toEqual(names.slice(0, (1024 * 1024) / (180 * 4 * 4) - 2));
    expect(history.pool('app', 0)).toBeDefined();
  });

  it('keeps apart a listener, a pool and a backend of the same name', () => {
    const source = new FakeSource();
    source.plan = fakePlan(['app'], { app: ['app'] });
    const history = new History(source);
    source.workers[0].countAccepted(0);
    history.add(0);
    const actives = [history.listener('app', 0), history.pool('app', 0), history.backend('app', 'app', 0)];
    expect(actives.map((one) => one?.active)).toEqual([[1], [0], [0]]);
  });
});
