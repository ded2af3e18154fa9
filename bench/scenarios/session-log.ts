import { addedCosts, costs, flawless } from './costs.ts';
import { job } from './new-connection.ts';
import type { Scenario } from './scenario.ts';

export const sessionLog: Scenario = {
  name: 'session-log',
  question:
    'What does the line in the log cost that is written for each connection? One request each, 32 at a time; the log goes to a file.',
  metrics: addedCosts('conn.'),
  settings: [
    { name: 'log off', sessionLog: false },
    { name: 'log on', sessionLog: true },
  ],
  rounds: (wanted) => wanted,
  measure: async (stage) => costs(await flawless(stage, 'connect-load', job(stage, 'http'))),
};
