import { describe, expect, it, vi } from 'vitest';
import { Sessions, type SessionThread } from '../../src/control/sessions.ts';
import { matches, type SessionView } from '../../src/core/session-list.ts';

/** A worker with so many sessions, of which it looks at ten at once. */
class FakeThread implements SessionThread {
  readonly ended: number[] = [];
  readonly index: number;
  readonly generation: number;
  readonly #sessions: readonly SessionView[];
  dies = false;
  /** Sessions in its answers. */
  told = 0;

  constructor(index: number, generation: number, count: number) {
    this.index = index;
    this.generation = generation;
    this.#sessions = Array.from({ length: count }, (_, number) => view(number + 1));
  }

  async ask({ filter, from, most }: Parameters<SessionThread['ask']>[0]) {
    if (this.dies) throw new Error('The worker ended');
    const seen = this.#sessions.slice(from, from + 10);
    const sessions = seen.filter((one) => matches(filter, one)).slice(0, most);
    this.told += sessions.length;
    const last = sessions.length < most ? from + 10 : this.#sessions.indexOf(sessions.at(-1) ?? view(0)) + 1;
    return { sessions, next: last < this.#sessions.length ? last : undefined };
  }

  post({ serials }: Parameters<SessionThread['post']>[0]): void {
    this.ended.push(...serials);
  }
}

function view(serial: number): SessionView {
  return {
    ...{ serial, state: 'relaying', listener: 'web', client: { address: '192.0.2.1', port: serial } },
    ...{ pool: 'app', backend: 'a', protocol: undefined, sni: undefined, alpn: undefined },
    ...{
      ageMs: serial,
      idleMs: 0,
      queueMs: 0,
      connectMs: 1,
      attempts: 1,
      bytesToBackend: 0,
      bytesToClient: 0,
    },
  };
}

function stage(counts: readonly number[]) {
  const threads = counts.map((count, index) => new FakeThread(index, index + 5, count));
  return { threads, sessions: new Sessions(() => threads) };
}

describe('Sessions', () => {
  it('lists each once, page by page over all workers', async () => {
    const { sessions } = stage([25, 0, 31]);
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await sessions.list({ filter: {}, limit: 7, cursor });
      expect(page.sessions.length).toBeLessThanOrEqual(7);
      ids.push(...page.sessions.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(ids).toHaveLength(56);
    expect(new Set(ids).size).toBe(56);
    expect(ids[0]).toBe('w0.5.1');
  });

  it('lists each once where one worker has taken the place of another that died', async () => {
    const threads = [new FakeThread(0, 9, 12), new FakeThread(1, 6, 12)];
    const sessions = new Sessions(() => threads);
    const first = await sessions.list({ filter: {}, limit: 15 });
    const rest = await sessions.list({ filter: {}, limit: 15, cursor: first.cursor });
    const ids = [...first.sessions, ...rest.sessions].map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([24, 24]);
  });

  it('asks for the next slice once the one before was answered, one worker after the other', async () => {
    const { sessions, threads } = stage([35, 25]);
    let asked = 0;
    for (const thread of threads) {
      const ask = thread.ask.bind(thread);
      thread.ask = async (request) => {
        expect(++asked).toBe(1);
        // What a worker has to do meanwhile comes first.
        await new Promise((resolve) => setImmediate(resolve));
        asked--;
        return ask(request);
      };
    }
    expect((await sessions.list({ filter: {}, sort: 'bytes', limit: 100 })).sessions).toHaveLength(60);
    expect(await sessions.endAll({})).toBe(60);
  });

  it('gives the first of an order', async () => {
    const { sessions } = stage([25, 31]);
    const { sessions: found, cursor } = await sessions.list({ filter: {}, sort: 'age', limit: 3 });
    expect(found.map(({ ageMs }) => ageMs)).toEqual([31, 30, 29]);
    expect(cursor).toBeUndefined();
  });

  it('passes over a worker that dies', async () => {
    const { sessions, threads } = stage([5, 5]);
    if (threads[0] !== undefined) threads[0].dies = true;
    expect((await sessions.list({ filter: {}, limit: 100 })).sessions).toHaveLength(5);
  });

  it('ends one, and none that another worker had of that name', async () => {
    const { sessions, threads } = stage([15, 15]);
    expect(await sessions.end('w1.6.12')).toBe(true);
    expect(threads.map(({ ended }) => ended)).toEqual([[], [12]]);
    for (const id of ['w1.5.12', 'w0.6.12', 'w1.6.99', 'w1.6', '', 'w1.6.12x']) {
      expect(await sessions.end(id)).toBe(false);
    }
  });

  it('ends one without being told of the others, and none of a worker that dies', async () => {
    const { sessions, threads } = stage([500]);
    const [thread] = threads;
    expect(await sessions.end('w0.5.450')).toBe(true);
    expect(thread?.told).toBe(1);
    if (thread !== undefined) thread.dies = true;
    expect(await sessions.end('w0.5.449')).toBe(false);
  });

  it('ends those that pass the filter, at most so many', async () => {
    const { sessions, threads } = stage([20, 20]);
    expect(await sessions.endAll({ olderThanMs: 18 })).toBe(6);
    expect(threads.map(({ ended }) => ended.toSorted())).toEqual([
      [18, 19, 20],
      [18, 19, 20],
    ]);
    expect(await sessions.endAll({}, { limit: 4 })).toBe(4);
  });

  it('spreads ends evenly over a time, and ends no more once it is closed', async () => {
    vi.useFakeTimers();
    try {
      const { sessions, threads } = stage([100]);
      expect(await sessions.endAll({}, { overMs: 1_000 })).toBe(100);
      const counts: (number | undefined)[] = [];
      for (let step = 0; step < 5; step++) {
        counts.push(threads[0]?.ended.length);
        await vi.advanceTimersByTimeAsync(100);
      }
      expect(counts).toEqual([10, 20, 30, 40, 50]);
      sessions.close();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(threads[0]?.ended).toHaveLength(60);
    } finally {
      vi.useRealTimers();
    }
  });
});
