/** A long list of sessions is looked at in slices, so that bytes have their turn between two of them. */
import { describe, expect, it } from 'vitest';
import type { SessionFilter, SessionPage, SessionView } from '../../src/core/session-list.ts';
import { CoreStage, planOf, poolPlan } from './harness.ts';

const most = Number.POSITIVE_INFINITY;

function crowd(count: number): CoreStage {
  const stage = new CoreStage(planOf(poolPlan(1)));
  for (let one = 0; one < count; one++) stage.relay({ address: '192.0.2.1', port: 1_024 + one });
  return stage;
}

function slices(stage: CoreStage, filter: SessionFilter, between = (): void => {}): readonly SessionPage[] {
  const pages: SessionPage[] = [];
  for (let from: number | undefined = 0; from !== undefined; from = pages.at(-1)?.next) {
    pages.push(stage.core.list(filter, from, most, stage.nowMs));
    between();
  }
  return pages;
}

function ports(pages: readonly SessionPage[]): readonly number[] {
  return pages.flatMap(({ sessions }) => sessions.map(({ client }: SessionView) => client.port));
}

describe('The list of a worker', () => {
  it('looks at a thousand sessions at once, and has each of them once', () => {
    const stage = crowd(3_500);
    const pages = slices(stage, {});
    expect(pages.map(({ sessions }) => sessions.length)).toEqual([1_000, 1_000, 1_000, 500]);
    expect(new Set(ports(pages)).size).toBe(3_500);
  });

  it('looks at no more of them where few pass the filter, or none', () => {
    const stage = crowd(3_500);
    expect(slices(stage, { serial: 3_400 }).map(({ sessions }) => sessions.length)).toEqual([0, 0, 0, 1]);
    expect(slices(stage, { pool: 'other' })).toHaveLength(4);
  });

  it('has those once that stay, whoever comes and goes between two slices', () => {
    const stage = crowd(3_000);
    const stays = ports(slices(stage, {})).slice(500);
    let leaving = 0;
    const pages = slices(stage, {}, () => {
      for (let one = 0; one < 100; one++) {
        stage.end(2 * leaving++);
        stage.relay({ address: '198.51.100.1', port: 9 });
      }
    });
    const seen = ports(pages).filter((port) => port !== 9);
    expect(new Set(seen).size).toBe(seen.length);
    expect(stays.filter((port) => !seen.includes(port))).toEqual([]);
  });
});
