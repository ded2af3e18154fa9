import type { Measurement, Scenario } from './scenarios/scenario.ts';
import { type Entrant, onStage } from './stage/stage.ts';
import type { Setting, Subject } from './subjects/subject.ts';

export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seconds: number;
}

/** One subject measured once. Without a measurement, `failure` says what went wrong. */
export interface Sample {
  /** The row's name. */
  readonly subject: string;
  readonly round: number;
  readonly measurement?: Measurement;
  readonly failure?: string;
}

export interface Outcome {
  readonly scenario: Scenario;
  readonly rows: readonly OutcomeRow[];
  readonly samples: readonly Sample[];
}

/** A subject in one of the scenario's settings. */
export interface OutcomeRow {
  readonly name: string;
  /** The row of the same subject in the first of several settings. */
  readonly base?: string;
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

type Contender = OutcomeRow & Entrant;

async function runScenario(scenario: Scenario, plan: Plan, step: (what: string) => void): Promise<Outcome> {
  const contenders = contendersOf(scenario, plan);
  const rehearsed: number[] = [];
  for (const subject of rehearsersOf(scenario, plan)) {
    step(`${scenario.name}, rehearsal: ${subject.name}`);
    try {
      const entrant = { subject, setting: scenario.settings?.[0] ?? {} };
      rehearsed.push(
        await onStage(
          entrant,
          plan.seconds,
          async (stage) => (await scenario.rehearsal?.measure(stage)) ?? 0,
        ),
      );
    } catch {
      // It will fail in its rounds too, and is heard there.
    }
  }
  const samples: Sample[] = [];
  const rounds = scenario.rounds(plan.rounds);
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      step(`${scenario.name}, round ${round + 1} of ${rounds}: ${contender.name}`);
      samples.push(await sample(scenario, contender, plan.seconds, rehearsed, round));
    }
  }
  return { scenario, rows: contenders.map(({ name, base }) => ({ name, ...(base && { base }) })), samples };
}

async function sample(
  scenario: Scenario,
  contender: Contender,
  seconds: number,
  rehearsed: readonly number[],
  round: number,
): Promise<Sample> {
  const { name } = contender;
  try {
    const { wantsLeanBackend = false } = scenario;
    const measurement = await onStage({ ...contender, wantsLeanBackend }, seconds, (stage) =>
      scenario.measure(stage, rehearsed),
    );
    return { subject: name, round, measurement };
  } catch (error) {
    return { subject: name, round, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Every subject that the scenario says something about, in each of its settings. */
export function contendersOf(scenario: Scenario, plan: Pick<Plan, 'subjects'>): readonly Contender[] {
  const settings = scenario.settings ?? [{}];
  return subjectsOf(scenario, plan).flatMap((subject) => {
    const names = settings.map(({ name }) =>
      name === undefined ? subject.name : `${subject.name}, ${name}`,
    );
    return settings.map((setting, index) => {
      const [name = subject.name, base = subject.name] = [names[index], names[0]];
      return { name, ...(index > 0 && { base }), subject, setting };
    });
  });
}

function subjectsOf(scenario: Scenario, plan: Pick<Plan, 'subjects'>): readonly Subject[] {
  if (scenario.instead !== undefined) return scenario.instead;
  return plan.subjects.filter(
    (subject) =>
      (scenario.suits?.(subject) ?? true) &&
      (scenario.settings ?? []).every((setting) => knows(subject, setting)),
  );
}

function knows({ skills }: Subject, { name: _, ...wanted }: Setting): boolean {
  const known = new Set<string>(skills);
  return Object.keys(wanted).every((skill) => known.has(skill));
}

function rehearsersOf(scenario: Scenario, plan: Plan): readonly Subject[] {
  return scenario.rehearsal?.of(subjectsOf(scenario, plan)) ?? [];
}

function stepsOf(scenario: Scenario, plan: Plan): number {
  return (
    rehearsersOf(scenario, plan).length + contendersOf(scenario, plan).length * scenario.rounds(plan.rounds)
  );
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
