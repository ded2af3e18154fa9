import type { Stage } from '../stage/stage.ts';
import type { Subject } from '../subjects/subject.ts';

/** One question about the subjects, and how to have it answered. */
export interface Scenario {
  readonly name: string;
  readonly question: string;
  readonly metrics: readonly Metric[];
  /** Whether it says something about a subject; without, about every one. */
  suits?(subject: Subject): boolean;
  /** What is measured instead of the chosen subjects, where it isn't proxies. */
  readonly instead?: readonly Subject[];
  /** How many rounds it takes when the user wants so many: what hardly varies needs fewer. */
  rounds(wanted: number): number;
  /** Runs once for each subject before the rounds; its answers go to every `measure`. */
  rehearse?(stage: Stage): Promise<number>;
  /** One measurement. Throws where it failed: a sample with errors in it is worth nothing. */
  measure(stage: Stage, rehearsed: readonly number[]): Promise<Measurement>;
}

export interface Metric {
  readonly key: string;
  /** At most about ten characters: it stands over a column. */
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Whether subjects are compared by it: it gets ratios and a chart. */
  readonly compared: boolean;
  /** The metrics that it is the sum of: the chart shows them as parts of its bar. */
  readonly parts?: readonly string[];
}

export interface Measurement {
  /** By the metric's key; undefined where it is not available here. */
  readonly values: Readonly<Record<string, number | undefined>>;
  /** Whether the load or the backend had no more to give, so that a rate is theirs and not the subject's. */
  readonly loadSaturated: boolean;
  /** How many cores the subject kept busy, and how many the processes that are none of the bench. */
  readonly subjectBusy: number | undefined;
  readonly strangersBusy: number | undefined;
}
