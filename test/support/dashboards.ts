/** The dashboards of `monitoring/` as Grafana would read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { root } from './pages.ts';

/** What the tests look at; the types of the generator promise more. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: unknown;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

const folder = `${root}monitoring/dashboards/`;

export const dashboardFiles = readdirSync(folder);

export const dashboards = dashboardFiles.map(
  (file): Dashboard => JSON.parse(readFileSync(folder + file, 'utf8')),
);

/** Those that show something, and not just a title above others. */
export function queriedPanels({ panels }: Dashboard): readonly Panel[] {
  return panels.filter(({ type }) => type !== 'row');
}

/** As Grafana asks, where the reader has chosen everything and looks at so long a time. */
export function asked(expr: string, window: string): string {
  return expr.replaceAll(/\$(instance|pool)\b/g, '.*').replaceAll('$__rate_interval', window);
}
