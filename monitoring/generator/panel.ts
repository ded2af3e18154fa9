/** The kinds of panels that the dashboards are made of. Each answers one question of an operator. */
import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableCellDisplayMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

export interface Subject {
  readonly title: string;
  /** The question that it answers, and what to make of the answer; Grafana shows it beside the title. */
  readonly description: string;
  /** An id of Grafana's: `short`, `bytes`, `percentunit`, `s`. */
  readonly unit: string;
  /** Columns of the 24 of a row. */
  readonly width: number;
}

/** PromQL by the label of its series, in which Grafana puts `{{pool}}` and the like. */
export type Queries = Readonly<Record<string, string>>;

/** The data source that the reader chose. */
export const datasource = { type: 'prometheus', uid: '$' + '{datasource}' };

/** Curves over time. `stacked` where the sum means something too. */
export function graph(
  subject: Subject,
  queries: Queries,
  { stacked = false }: { readonly stacked?: boolean } = {},
): TimeSeries {
  return queried(described(new TimeSeries(), subject), queries)
    .height(8)
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .fillOpacity(stacked ? 30 : 0)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
}

/** One figure as it is now. From `warning` on it is orange, from `critical` on red. */
export function figure(
  subject: Subject,
  expr: string,
  { warning, critical }: { readonly warning?: number; readonly critical?: number } = {},
): Stat {
  return queried(described(new Stat(), subject), { [subject.title]: expr })
    .height(4)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps([{ value: null, color: 'green' }, ...step('orange', warning), ...step('red', critical)]),
    );
}

function step(color: string, value: number | undefined): readonly Threshold[] {
  return value === undefined ? [] : [{ value, color }];
}

/** What a state was over time: a bar for each series, in the color and word of each value. */
export function states(subject: Omit<Subject, 'unit'>, queries: Queries, words: readonly StateWord[]) {
  return queried(described(new StateTimeline(), { ...subject, unit: 'short' }), queries)
    .height(8)
    .mappings([inWords(words)]);
}

/** The word for the value that is its place in the list. */
export type StateWord = readonly [text: string, color: string];

/** A row for each combination of `labels`, and a column for each query, which has to keep these labels. */
export function table(
  subject: Omit<Subject, 'unit'>,
  labels: Readonly<Record<string, string>>,
  columns: readonly Column[],
): Table {
  const panel = described(new Table(), { ...subject, unit: 'short' }).height(8);
  for (const [index, { expr, title, unit, words, ordersRows }] of columns.entries()) {
    panel.withTarget(query(expr, index).instant().format(PromQueryFormat.Table));
    if (unit !== undefined) panel.overrideByName(title, [{ id: 'unit', value: unit }]);
    if (words !== undefined) {
      panel.overrideByName(title, [
        { id: 'mappings', value: [inWords(words)] },
        { id: 'custom.cellOptions', value: { type: TableCellDisplayMode.ColorText } },
      ]);
    }
    if (ordersRows) panel.sortBy([new TableSortByFieldStateBuilder().displayName(title).desc(false)]);
  }
  // As Grafana calls the values of the only query, or of one among several.
  const fields = columns.map((_, index) => (columns.length === 1 ? 'Value' : `Value #${refId(index)}`));
  const titles = columns.map(({ title }, index) => [fields[index], title] as const);
  const order = [...Object.keys(labels), ...fields].map((name, index) => [name, index] as const);
  return panel.withTransformation({ id: 'merge', options: {} }).withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      indexByName: Object.fromEntries(order),
      renameByName: { ...labels, ...Object.fromEntries(titles) },
    },
  });
}

export interface Column {
  readonly title: string;
  readonly expr: string;
  readonly unit?: string;
  readonly words?: readonly StateWord[];
  /** Whether rows stand in the order of its values, the smallest on top. */
  readonly ordersRows?: boolean;
}

type AnyPanel = Stat | StateTimeline | Table | TimeSeries;

function described<P extends AnyPanel>(panel: P, { title, description, unit, width }: Subject): P {
  panel.title(title).description(description).unit(unit).span(width).datasource(datasource);
  return panel;
}

function queried<P extends AnyPanel>(panel: P, queries: Queries): P {
  for (const [index, [legend, expr]] of Object.entries(queries).entries()) {
    panel.withTarget(query(expr, index).legendFormat(legend).range());
  }
  return panel;
}

function query(expr: string, index: number): DataqueryBuilder {
  return new DataqueryBuilder().datasource(datasource).expr(expr).refId(refId(index));
}

/** As Grafana names the queries of a panel: A, B, C. */
function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

function inWords(words: readonly StateWord[]): ValueMapping {
  const options = words.map(([text, color], index) => [String(index), { text, color, index }] as const);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}
