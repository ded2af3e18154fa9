import { here, type Row } from '../dashboard.ts';
import { figure } from '../panel.ts';
import { ours } from './ours.ts';

export const now: Row = {
  title: 'Now',
  panels: [
    figure(
      { title: 'Processes', description: 'How many processes answer?', unit: 'short', width: 4 },
      `count(sluice_build_info{${here}})`,
    ),
    figure(
      { title: 'Draining', description: 'How many finish their sessions to stop?', unit: 'short', width: 4 },
      `sum(sluice_draining{${here}})`,
      { warning: 1 },
    ),
    figure(
      {
        title: 'Youngest process',
        description:
          'How long ago did a process last start? Short times again and again are a process that crashes.',
        unit: 's',
        width: 4,
      },
      `min(time() - process_start_time_seconds{${here}} ${ours})`,
    ),
    figure(
      {
        title: 'Configuration loaded',
        description: 'How long ago was a configuration last loaded, at the start or by a reload?',
        unit: 's',
        width: 4,
      },
      `min(time() - sluice_config_last_reload_success_timestamp_seconds{${here}})`,
    ),
    figure(
      {
        title: 'Reload refused',
        description: 'How many processes run an older configuration, since their last reload was refused?',
        unit: 'short',
        width: 4,
      },
      `sum(1 - sluice_config_last_reload_successful{${here}})`,
      { warning: 1 },
    ),
    figure(
      {
        title: 'Configurations',
        description:
          'How many different configurations run? More than one for longer than a rollout takes means that a process ' +
          'was left out.',
        unit: 'short',
        width: 4,
      },
      `count(count by (hash) (sluice_config_hash{${here}}))`,
      { warning: 2 },
    ),
    figure(
      {
        title: 'Descriptors in use',
        description: 'What share of its descriptors does the fullest process use? At 100 % clients wait.',
        unit: 'percentunit',
        width: 8,
      },
      `max(sluice_descriptors_open{${here}} / sluice_descriptors_limit{${here}})`,
      { warning: 0.7, critical: 0.85 },
    ),
    figure(
      {
        title: 'Buffers in use',
        description:
          'What share of `memory.buffers` do bytes take that wait for a side that does not read, where that is most?',
        unit: 'percentunit',
        width: 8,
      },
      `max(sluice_buffer_memory_bytes{${here}} / sluice_buffer_memory_limit_bytes{${here}})`,
      { warning: 0.7, critical: 0.85 },
    ),
    figure(
      {
        title: 'Workers replaced in a day',
        description: 'How many workers died, with their sessions? Each is a bug; the log has its error.',
        unit: 'short',
        width: 8,
      },
      `sum(increase(sluice_worker_restarts_total{${here}}[1d]))`,
      { warning: 1 },
    ),
  ],
};
