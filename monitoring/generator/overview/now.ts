import { here, type Row } from '../dashboard.ts';
import { figure } from '../panel.ts';
import { perSecond } from '../promql.ts';
import { lostReasons } from './lost-reasons.ts';

export const now: Row = {
  title: 'Now',
  panels: [
    figure(
      {
        title: 'Processes',
        description: 'How many processes of sluice answer? One that drains still does.',
        unit: 'short',
        width: 4,
      },
      `count(sluice_build_info{${here}})`,
    ),
    figure(
      { title: 'Open connections', description: 'How many clients are connected?', unit: 'short', width: 4 },
      `sum(sluice_listener_connections_active{${here}})`,
    ),
    figure(
      { title: 'New connections', description: 'How many clients come in a second?', unit: 'cps', width: 4 },
      perSecond(`sluice_listener_connections_total{${here}}`),
    ),
    figure(
      {
        title: 'Clients lost',
        description:
          'What share of the sessions that end does so in a way that the client did not want, and that no limit on ' +
          'clients meant? From 5 % on, the alert SluiceClientsLost fires.',
        unit: 'percentunit',
        width: 4,
      },
      `${perSecond(`sluice_sessions_closed_total{${here}, reason=~"${lostReasons}"}`)}
  / ${perSecond(`sluice_sessions_closed_total{${here}}`)}`,
      { warning: 0.01, critical: 0.05 },
    ),
    figure(
      {
        title: 'Backends down',
        description: 'How many backends fail their health checks? Each process counts what it sees.',
        unit: 'short',
        width: 4,
      },
      `sum(1 - sluice_backend_up{${here}})`,
      { warning: 1 },
    ),
    figure(
      {
        title: 'Breakers not closed',
        description: 'How many backends get no sessions, since connecting to them failed too often in a row?',
        unit: 'short',
        width: 4,
      },
      `sum(sluice_backend_circuit_state{${here}, state=~"open|half-open"})`,
      { warning: 1 },
    ),
  ],
};
