/** The alert rules hold what they promise: promtool tries each, and the runbook knows each. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alerts, alertsFile } from '../support/alert-rules.ts';
import { pageText, root } from '../support/pages.ts';
import { installed, run, skippedWithout } from '../support/programs.ts';

const cases = `${root}test/monitoring/alerts/`;

describe.skipIf(!installed('promtool'))(`promtool ${skippedWithout('promtool')}`, () => {
  it('accepts the rules', async () => {
    const { code, stderr } = await run('promtool', ['check', 'rules', alertsFile]);
    expect(code, stderr).toBe(0);
  });

  it.each(readdirSync(cases))('sees alerts fire and stay silent as in %s', async (file) => {
    const { code, stdout, stderr } = await run('promtool', ['test', 'rules', cases + file]);
    expect(code, stdout + stderr).toBe(0);
  });
});

describe.each(alerts)('$alert', ({ alert, labels, annotations }) => {
  it('has a case in which it fires and one in which it is silent', () => {
    const expected = expectations(readFileSync(`${cases}${alert}.yaml`, 'utf8'))
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => exp_alerts.length > 0);
    expect(new Set(expected)).toEqual(new Set([true, false]));
  });

  it('has a severity, and says what is wrong and where the runbook is', () => {
    expect(labels.severity).toMatch(/^(critical|warning)$/);
    for (const text of [annotations.summary, annotations.description]) expect(text).toMatch(/\S/);
    expect(annotations.runbook).toBe(`monitoring/README.md#${alert.toLowerCase()}`);
    expect(pageText('monitoring/README.md')).toContain(`\n### ${alert}\n`);
  });
});

it('The runbook has no alert that there is not', () => {
  const headings = [...pageText('monitoring/README.md').matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(headings.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

interface Expectation {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

/** What promtool is told to expect of alerts, in all groups of a file. */
function expectations(text: string): readonly Expectation[] {
  // promtool checks its form.
  const { tests } = parse(text) as {
    readonly tests: readonly { alert_rule_test?: readonly Expectation[] }[];
  };
  return tests.flatMap(({ alert_rule_test = [] }) => alert_rule_test);
}
