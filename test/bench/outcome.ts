import type { Measurement, Metric, Scenario } from '../../bench/scenarios/scenario.ts';
import type { Outcome, Sample } from '../../bench/suite.ts';

export const rate: Metric = {
  key: 'rate',
  title: 'rate',
  unit: 'requests/s',
  better: 'higher',
  compared: true,
};
export const cpu: Metric = {
  key: 'cpu',
  title: 'CPU',
  unit: 'µs/request',
  better: 'lower',
  compared: true,
  parts: ['user', 'system'],
};

export function measured(
  subject: string,
  round: number,
  values: Measurement['values'],
  rest: Partial<Measurement> = {},
): Sample {
  const measurement = { values, loadSaturated: false, subjectBusy: 0.5, strangersBusy: 0, ...rest };
  return { subject, round, measurement };
}

/** What a run of one scenario with the metrics `rate` and `cpu` leaves behind. */
export function outcome(subjects: readonly string[], samples: readonly Sample[]): Outcome {
  const scenario: Scenario = {
    name: 'keepalive',
    question: 'What does a request cost?',
    metrics: [rate, cpu],
    rounds: (wanted) => wanted,
    measure: () => Promise.reject(new Error('It ran already')),
  };
  return { scenario, rows: subjects.map((name) => ({ name })), samples };
}
