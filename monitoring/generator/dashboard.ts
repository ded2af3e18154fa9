/** A dashboard as rows of panels, with what all of ours share: variables, links to each other, events. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource } from './panel.ts';

export interface Plan {
  /** Part of its address in Grafana, and the name of its file. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Whether the reader chooses among pools, too; queries then say `ofPool`. */
  readonly ofPools: boolean;
  readonly rows: readonly Row[];
}

/** Panels that belong together, under their title. Each of their lines is 24 columns wide. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

/** In each query: the processes that the reader chose. */
export const here = 'instance=~"$instance"';

/** In each query about pools: those that the reader chose. */
export const ofPool = `${here}, pool=~"$pool"`;

export function dashboard({ uid, title, description, ofPools, rows }: Plan): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['sluice'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('sluice')
        .type(DashboardLinkType.Dashboards)
        .tags(['sluice'])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(choice('instance', 'Process', 'label_values(sluice_build_info, instance)'));
  if (ofPools) {
    builder.withVariable(choice('pool', 'Pool', `label_values(sluice_pool_queue_length{${here}}, pool)`));
  }
  for (const event of events) builder.annotation(event());
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  return finished(builder.build());
}

function choice(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*');
}

/** What somebody did, as marks in all graphs. */
const events = [
  () =>
    event(
      'Configuration loaded',
      'blue',
      `changes(sluice_config_last_reload_success_timestamp_seconds{${here}}[1m]) > 0`,
    ),
  () => event('Draining', 'orange', `sluice_draining{${here}} == 1`),
];

function event(name: string, color: string, expr: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .enable(true)
    .iconColor(color)
    .datasource(datasource)
    .expr(expr)
    .titleFormat(name)
    .textFormat('{{instance}}')
    .step('30s');
}

/**
 * Grafana tells panels by their numbers, in links and in what it stores. Links and events stay in sight: the library puts
 * both into a menu unless told otherwise, and has no word for otherwise.
 */
function finished(built: Dashboard): Dashboard {
  for (const [index, panel] of (built.panels ?? []).entries()) panel.id = index + 1;
  for (const one of [...(built.links ?? []), ...(built.annotations.list ?? [])]) delete one.placement;
  return built;
}
