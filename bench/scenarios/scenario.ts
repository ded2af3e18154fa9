import type { Stage } from '../stage/stage.ts';
import type { Setting, Subject } from '../subjects/subject.ts';

/** One question about the subjects, and how to have it answered. */
export interface Scenario {
  readonly name: string;
  readonly question: string;
  readonly metrics: readonly Metric[];
  /** Whether it says something about a subject; without, about every one. */
  suits?(subject: Subject): boolean;
  /** What has to be installed for it, and how, where it is not. */
  missing?(): Promise<string | undefined>;
  /** What is measured instead of the chosen subjects, where it isn't proxies. */
  readonly instead?: readonly Subject[];
  /**
   * What is switched on beside plain forwarding. Of several, each subject is measured in every one, and the
   * first is what the others are compared with. A subject that lacks the skill for one is left out.
   */
  readonly settings?: readonly Setting[];
  /** Whether the backend is the one in C, where that can be compiled. */
  readonly wantsLeanBackend?: true;
  /** How many rounds it takes when the user wants so many: what hardly varies needs fewer. */
  rounds(wanted: number): number;
  readonly rehearsal?: Rehearsal;
  /** One measurement. Throws where it failed: a sample with errors in it is worth nothing. */
  measure(stage: Stage, rehearsed: readonly number[]): Promise<Measurement>;
}

/** What runs once before the rounds; its answers go to every `measure`. */
export interface Rehearsal {
  /** Which of the subjects take part. */
  of(subjects: readonly Subject[]): readonly Subject[];
  measure(stage: Stage): Promise<number>;
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
  /**
   * The key of another metric: this one is not measured, it is how much more of that there is than in the same
   * subject's first setting, round by round.
   */
  readonly added?: string;
  /** What docs/performance.md calls it, unit and all; what has no such name is not there. */
  readonly headline?: string;
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
