/** The dashboards are what the generator makes, and as Grafana wants them. */
import { describe, expect, it } from 'vitest';
import { dashboards as generated } from '../../monitoring/generator/dashboards.ts';
import { lostReasons } from '../../monitoring/generator/overview/lost-reasons.ts';
import { reasons } from '../../src/core/reasons.ts';
import { rules } from '../support/alert-rules.ts';
import {
  asked,
  type Dashboard,
  dashboardFiles,
  dashboards,
  type Panel,
  queriedPanels,
} from '../support/dashboards.ts';

it('The committed dashboards are what `npm run dashboards` makes', () => {
  const made: unknown = JSON.parse(JSON.stringify(generated));
  expect(dashboards.toSorted(byUid)).toEqual((made as Dashboard[]).toSorted(byUid)); // The generator's types say more.
});

it('Each dashboard has a file by its uid, of which Grafana allows 40 characters', () => {
  expect(dashboardFiles).toEqual(dashboards.map(({ uid }) => `${uid}.json`));
  for (const { uid } of dashboards) expect(uid).toMatch(/^[\w-]{1,40}$/);
});

describe.each(dashboards)('$title', (dashboard) => {
  const { panels, templating, schemaVersion } = dashboard;
  const shown = queriedPanels(dashboard);

  it('has the schema version that its form belongs to', () => {
    expect(schemaVersion).toBe(42);
  });

  it('numbers its panels without a repetition', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it('lays its panels in a grid of 24 columns, and none over another', () => {
    for (const { gridPos, title } of panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    const overlaps = panels.flatMap((one, index) =>
      panels
        .slice(index + 1)
        .filter((other) => overlap(one, other))
        .map((other) => `${one.title} and ${other.title}`),
    );
    expect(overlaps).toEqual([]);
  });

  it('leaves no hole in the grid', () => {
    // No panel lies over another, so their areas add up.
    const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    const covered = panels.reduce((sum, { gridPos }) => sum + gridPos.w * gridPos.h, 0);
    expect(covered).toBe(24 * bottom);
  });

  it('says in each panel what question it answers, in which unit, from the chosen data source', () => {
    for (const { title, description, fieldConfig, datasource } of shown) {
      expect(description, title).toMatch(/\?/);
      expect(fieldConfig?.defaults.unit, title).toMatch(/\S/);
      expect(datasource, title).toEqual({ type: 'prometheus', uid: '$' + '{datasource}' });
    }
  });

  it('titles each panel differently', () => {
    const titles = shown.map(({ title }) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it('uses each of its variables, and no other', () => {
    const names = templating.list.map(({ name }) => name).filter((name) => name !== 'datasource');
    const used = queries(dashboard).flatMap((expr) => [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name));
    expect([...new Set(used)].filter((name) => name !== '__rate_interval').toSorted()).toEqual(
      names.toSorted(),
    );
    for (const expr of queries(dashboard)) expect(asked(expr, '1m')).not.toContain('$');
  });

  it('names reasons that there are', () => {
    const named = queries(dashboard).flatMap((expr) =>
      [...expr.matchAll(/reason[!=]?~?"([^"]+)"/g)].flatMap(([, words = '']) => words.split('|')),
    );
    const unknown = named.filter((word) => !reasons.some((reason) => new RegExp(`^${word}$`).test(reason)));
    expect(unknown).toEqual([]);
  });
});

it('The reasons for which clients are lost are those of the alerts', () => {
  const inRules = rules.flatMap(({ expr }) =>
    [...expr.matchAll(/reason=~?"([^"]+)"/g)].flatMap(([, words = '']) => words.split('|')),
  );
  expect(lostReasons.split('|').toSorted()).toEqual(inRules.toSorted());
});

const byUid = (one: Dashboard, other: Dashboard): number => one.uid.localeCompare(other.uid);

function queries(dashboard: Dashboard): readonly string[] {
  return queriedPanels(dashboard).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

function overlap({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
  const beside = one.x + one.w <= other.x || other.x + other.w <= one.x;
  const above = one.y + one.h <= other.y || other.y + other.h <= one.y;
  return !beside && !above;
}
