import { direct } from './direct.ts';
import { floor } from './floor.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { nodePipe } from './node-pipe.ts';
import { sluice } from './sluice.ts';
import type { Subject } from './subject.ts';

/** The subjects that run when none are named. */
export const defaultSubjects: readonly Subject[] = [
  direct,
  nodePipe,
  sluice({ name: 'sluice-portable', driver: 'portable', workers: 1 }),
  sluice({ name: 'sluice-uring', driver: 'uring', workers: 1 }),
  haproxy({ name: 'haproxy', threads: 1, splice: false }),
  nginx({ name: 'nginx', workers: 1 }),
  floor,
];

/** All that `--subjects` can name. */
export const subjects: readonly Subject[] = [
  ...defaultSubjects,
  haproxy({ name: 'haproxy-splice', threads: 1, splice: true }),
  sluice({ name: 'sluice-uring-2', driver: 'uring', workers: 2 }),
  haproxy({ name: 'haproxy-2', threads: 2, splice: false }),
  nginx({ name: 'nginx-2', workers: 2 }),
];
