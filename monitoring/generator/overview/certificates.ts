import { here, type Row } from '../dashboard.ts';
import { table } from '../panel.ts';

export const certificates: Row = {
  title: 'Certificates',
  panels: [
    table(
      {
        title: 'Certificates',
        description:
          'Which runs out first? Listeners show theirs to clients, pools theirs to backends, and those of backends are ' +
          'what they showed last.',
        width: 24,
      },
      { instance: 'Process', listener: 'Listener', pool: 'Pool', backend: 'Backend', name: 'Name' },
      [
        {
          title: 'Good for',
          unit: 's',
          ordersRows: true,
          expr: `(
  sluice_certificate_expiry_timestamp_seconds{${here}}
  or sluice_pool_certificate_expiry_timestamp_seconds{${here}}
  or sluice_backend_certificate_expiry_timestamp_seconds{${here}}
) - time()`,
        },
      ],
    ),
  ],
};
