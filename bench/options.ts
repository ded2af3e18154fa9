import { parseArgs } from 'node:util';
import type { Scenario } from './scenarios/scenario.ts';
import type { Subject } from './subjects/subject.ts';

export const usage = `\
Usage: npm run bench -- [options]

Measures sluice beside other proxies. Without options: every scenario with every default subject that is
installed, in about half an hour.

  --scenario NAMES   these scenarios only, separated by commas
  --subjects NAMES   these subjects only, separated by commas
  --rounds N         how often each is measured (3); scenarios that hardly vary run fewer
  --duration S       seconds of a measured window (2)
  --out DIR          where the JSON and HTML reports go (bench/results)
  --readme DIR       writes bench.md and bench.svg there too: a table and a chart for a page
  --into PAGES       writes the figures into these Markdown pages, separated by commas, between <!-- bench figures -->
                     (or summary) and <!-- /bench -->
  --from FILES       measures nothing: reports on JSON files of earlier runs, separated by commas, as Markdown;
                     --scenario and --subjects then choose rows and columns
  --list             names the scenarios and the subjects, and says which are installed
  -h, --help         this
`;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly subjects: readonly Subject[];
  readonly scenariosNamed: boolean;
  /** Whether the subjects were named: one that was and is missing is an error. */
  readonly subjectsNamed: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly out: string;
  /** Where the table and chart of docs/performance.md go; undefined where they are not wanted. */
  readonly readme: string | undefined;
  /** Pages that the figures are written into. */
  readonly into: readonly string[];
  /** JSON files of earlier runs to report on; without any, something is measured. */
  readonly from: readonly string[];
  readonly action: 'run' | 'report' | 'list' | 'help';
}

export interface Choices {
  readonly scenarios: readonly Scenario[];
  readonly subjects: readonly Subject[];
  readonly defaultSubjects: readonly Subject[];
}

/** Throws an Error that says what is wrong with the arguments. */
export function readOptions(args: readonly string[], choices: Choices): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      subjects: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      duration: { type: 'string', default: '2' },
      out: { type: 'string', default: 'bench/results' },
      readme: { type: 'string' },
      into: { type: 'string' },
      from: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    scenarios:
      values.scenario === undefined
        ? choices.scenarios
        : named(values.scenario, choices.scenarios, 'scenario'),
    subjects:
      values.subjects === undefined
        ? choices.defaultSubjects
        : named(values.subjects, choices.subjects, 'subject'),
    scenariosNamed: values.scenario !== undefined,
    subjectsNamed: values.subjects !== undefined,
    rounds: numberIn('--rounds', values.rounds, 1, 1_000, Number.isInteger),
    seconds: numberIn('--duration', values.duration, 0.1, 600, Number.isFinite),
    out: values.out,
    readme: values.readme,
    into: listed(values.into),
    from: listed(values.from),
    action: values.help ? 'help' : values.list ? 'list' : values.from === undefined ? 'run' : 'report',
  };
}

function listed(files: string | undefined): readonly string[] {
  return files?.split(',').map((file) => file.trim()) ?? [];
}

function named<T extends { readonly name: string }>(
  list: string,
  all: readonly T[],
  kind: string,
): readonly T[] {
  return [...new Set(list.split(',').map((name) => name.trim()))].map((name) => {
    const found = all.find((item) => item.name === name);
    if (found !== undefined) return found;
    throw new Error(`Unknown ${kind} "${name}", expected one of ${all.map((item) => item.name).join(', ')}`);
  });
}

function numberIn(
  option: string,
  text: string,
  min: number,
  max: number,
  fits: (value: number) => boolean,
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (fits(value) && value >= min && value <= max) return value;
  throw new Error(`Expected ${option} to be a number from ${min} to ${max}, found "${text}"`);
}
