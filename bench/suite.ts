import type { Measurement, Scenario } from './scenarios/scenario.ts';
import { onStage } from './stage/stage.ts';
import type { Subject } from './subjects/subject.ts';

export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seconds: number;
}

/** One subject measured once. Without a measurement, `failure` says what went wrong. */
export interface Sample {
  readonly subject: string;
  readonly round: number;
  readonly measurement?: Measurement;
  readonly failure?: string;
}

export interface Outcome {
  readonly scenario: Scenario;
  readonly subjects: readonly string[];
  readonly samples: readonly Sample[];
}

/** Where the run stands: `done` of `steps`, and what comes next. */
export type Progress = (done: number, steps: number, next: string) => void;

/**
 * Runs every scenario with every subject. Within a scenario the subjects take turns (ABC, BCA, CAB …), so that
 * a noisy minute of the machine hits all of them, and none is always the first or after the same other.
 */
export async function runSuite(plan: Plan, progress: Progress): Promise<readonly Outcome[]> {
  const steps = plan.scenarios.reduce((sum, scenario) => sum + stepsOf(scenario, plan), 0);
  let done = 0;
  const step = (what: string): void => progress(done++, steps, what);
  const outcomes: Outcome[] = [];
  for (const scenario of plan.scenarios) outcomes.push(await runScenario(scenario, plan, step));
  return outcomes;
}

async function runScenario(scenario: Scenario, plan: Plan, step: (what: string) => void): Promise<Outcome> {
  const subjects = subjectsOf(scenario, plan);
  const rehearsed: number[] = [];
  for (const subject of scenario.rehearse === undefined ? [] : subjects) {
    step(`${scenario.name}, rehearsal: ${subject.name}`);
    try {
      rehearsed.push(
        await onStage(subject, plan.seconds, async (stage) => (await scenario.rehearse?.(stage)) ?? 0),
      );
    } catch {
      // It will fail in its rounds too, and is heard there.
    }
  }
  const samples: Sample[] = [];
  const rounds = scenario.rounds(plan.rounds);
  for (let round = 0; round < rounds; round++) {
    for (const subject of rotated(subjects, round)) {
      step(`${scenario.name}, round ${round + 1} of ${rounds}: ${subject.name}`);
      samples.push(await sample(scenario, subject, plan.seconds, rehearsed, round));
    }
  }
  return { scenario, subjects: subjects.map(({ name }) => name), samples };
}

async function sample(
  scenario: Scenario,
  subject: Subject,
  seconds: number,
  rehearsed: readonly number[],
  round: number,
): Promise<Sample> {
  try {
    const measurement = await onStage(subject, seconds, (stage) => scenario.measure(stage, rehearsed));
    return { subject: subject.name, round, measurement };
  } catch (error) {
    return { subject: subject.name, round, failure: error instanceof Error ? error.message : String(error) };
  }
}

function subjectsOf(scenario: Scenario, plan: Plan): readonly Subject[] {
  if (scenario.instead !== undefined) return scenario.instead;
  return plan.subjects.filter((subject) => scenario.suits?.(subject) ?? true);
}

function stepsOf(scenario: Scenario, plan: Plan): number {
  const rehearsals = scenario.rehearse === undefined ? 0 : 1;
  return subjectsOf(scenario, plan).length * (scenario.rounds(plan.rounds) + rehearsals);
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
