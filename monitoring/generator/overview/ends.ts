import { here, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
import { perSecond } from '../promql.ts';
import { lostReasons } from './lost-reasons.ts';

const beforeBackend =
  'denied|listener-full|client-full|rate-limited|no-route|bad-proxy-header|inspect-timeout|tls-failed';

export const ends: Row = {
  title: 'How sessions end',
  panels: [
    graph(
      {
        title: 'Ends by reason, without `finished`',
        description: 'What goes wrong, and since when? docs/operating.md says what each reason means.',
        unit: 'cps',
        width: 8,
      },
      { '{{reason}}': perSecond(`sluice_sessions_closed_total{${here}, reason!="finished"}`, 'reason') },
      { stacked: true },
    ),
    graph(
      {
        title: 'Clients lost, by listener and reason',
        description: 'Which listener loses clients, and why?',
        unit: 'cps',
        width: 8,
      },
      {
        '{{listener}} {{reason}}': perSecond(
          `sluice_sessions_closed_total{${here}, reason=~"${lostReasons}"}`,
          'listener, reason',
        ),
      },
      { stacked: true },
    ),
    graph(
      {
        title: 'Clients turned away, by listener and reason',
        description:
          'Whom do access lists, limits, routes and handshakes keep out before a backend is asked?',
        unit: 'cps',
        width: 8,
      },
      {
        '{{listener}} {{reason}}': perSecond(
          `sluice_sessions_closed_total{${here}, reason=~"${beforeBackend}"}`,
          'listener, reason',
        ),
      },
      { stacked: true },
    ),
  ],
};
