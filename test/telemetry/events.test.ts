import { describe, expect, it } from 'vitest';
import { Events, type ProxyEvent } from '../../src/telemetry/events.ts';

const down = { pool: 'app', backend: 'a', health: 'down' } as const;

describe('Events', () => {
  it('go to whoever listens, until it listens no more', () => {
    const events = new Events(1);
    const heard: ProxyEvent[] = [];
    const stop = events.subscribe((event) => heard.push(event));
    events.publish('health', { ...down, detail: 'refused' });
    stop();
    events.publish('health', down);
    expect(heard).toMatchObject([{ id: '1-1', kind: 'health', data: { ...down, detail: 'refused' } }]);
  });

  it('are given again behind any that is known', () => {
    const events = new Events(1);
    for (let count = 0; count < 1_500; count++) events.publish('health', down);
    expect(events.recent).toHaveLength(1_000);
    expect(events.after('1-1500')).toEqual([]);
    expect(events.after('1-1498')?.map(({ id }) => id)).toEqual(['1-1499', '1-1500']);
    expect(events.after('1-500')).toHaveLength(1_000);
  });

  it.each(['1-499', '1-1501', '2-1', '', 'x', '1-x', '1-1.5', '1--1'])(
    'are not all known behind %j',
    (id) => {
      const events = new Events(1);
      for (let count = 0; count < 1_500; count++) events.publish('health', down);
      expect(events.after(id)).toBeUndefined();
    },
  );
});
