import { ofPool, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
import { perSecond } from '../promql.ts';

export const names: Row = {
  title: 'Names of backends',
  panels: [
    graph(
      {
        title: 'Failed lookups',
        description: 'Does a name server fail? Backends stay as they were; pools without names are left out.',
        unit: 'cps',
        width: 12,
      },
      { '{{pool}}': perSecond(`sluice_dns_failures_total{${ofPool}}`, 'pool') },
    ),
    graph(
      {
        title: 'Age of the oldest answer',
        description:
          'How old is what is known of the name that was resolved longest ago? It is asked for again as its record expires.',
        unit: 's',
        width: 12,
      },
      { '{{pool}}': `max by (pool) (time() - sluice_dns_last_success_timestamp_seconds{${ofPool}})` },
    ),
  ],
};
