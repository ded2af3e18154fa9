import { addedCosts, costs, flawless } from './costs.ts';
import { job } from './new-connection.ts';
import type { Scenario } from './scenario.ts';

export const inspect: Scenario = {
  name: 'inspect',
  question:
    'What does it cost to choose a backend by the server name of a ClientHello? Connections that send one and get a short answer, 32 at a time, through no rules, 10 and 1,000; the last rule is the one that matches.',
  metrics: addedCosts('conn.'),
  settings: [
    { name: 'no rules', sniRules: 0 },
    { name: '10 rules', sniRules: 10 },
    { name: '1,000 rules', sniRules: 1_000 },
  ],
  rounds: (wanted) => wanted,
  measure: async (stage) => costs(await flawless(stage, 'connect-load', job(stage, 'client-hello'))),
};
