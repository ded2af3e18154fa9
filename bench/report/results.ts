/** What a run leaves behind as JSON, and how a later report reads it. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import type { Sample } from '../suite.ts';
import type { Summary } from '../summary.ts';

export interface Results {
  readonly environment: Environment;
  readonly scenarios: readonly Result[];
}

export type Result = Summary & { readonly samples: readonly Sample[] };

export function writeResults(path: string, results: Results): void {
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
}

/** Throws an Error that names the file where it holds something else. */
export function readResults(path: string): Results {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof found !== 'object' || found === null || !('environment' in found && 'scenarios' in found)) {
    throw new Error(`Expected ${path} to be the JSON report of a run`);
  }
  // Nothing but writeResults writes an object with these two.
  return found as Results;
}

/** The part of it that is about these scenarios and subjects; without names, all. */
export function selected(
  { environment, scenarios }: Results,
  scenarioNames: readonly string[] | undefined,
  subjectNames: readonly string[] | undefined,
): Results {
  const isWanted = (subject: string): boolean => subjectNames?.includes(subject) ?? true;
  const order = (subject: string): number => subjectNames?.indexOf(subject) ?? 0;
  return {
    environment: {
      ...environment,
      subjects: environment.subjects
        .filter(({ name }) => isWanted(name))
        .sort((one, other) => order(one.name) - order(other.name)),
    },
    scenarios: scenarios
      .filter(({ name }) => scenarioNames?.includes(name) ?? true)
      .map((result) => ({
        ...result,
        rows: result.rows
          .filter(({ subject }) => isWanted(subjectOf(subject)))
          .sort((one, other) => order(subjectOf(one.subject)) - order(subjectOf(other.subject))),
        samples: result.samples.filter(({ subject }) => isWanted(subjectOf(subject))),
      })),
  };
}

/** The subject of a row: its setting follows after a comma. */
function subjectOf(row: string): string {
  return row.split(', ', 1)[0] ?? row;
}
