/** The alert rules of `monitoring/`, read. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { root } from './pages.ts';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity?: string };
  readonly annotations: {
    readonly summary?: string;
    readonly description?: string;
    readonly runbook?: string;
  };
}

interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export const alertsFile = `${root}monitoring/alerts.yaml`;

/** Of all groups, in the order of the file. */
export const rules = (() => {
  const { groups } = parse(readFileSync(alertsFile, 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly (Alert | RecordingRule)[] }[];
  }; // promtool checks its form.
  return groups.flatMap((group) => group.rules);
})();

export const alerts = rules.filter((rule): rule is Alert => 'alert' in rule);
