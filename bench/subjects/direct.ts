import type { Subject } from './subject.ts';

/** No proxy at all: what the load and the backend can do by themselves, beside which the others stand. */
export const direct: Subject = {
  name: 'direct',
  about: 'no proxy: the load speaks to the backend itself, which terminates TLS where clients come with it',
  cores: 1,
  skills: ['tls'],
  presence: async () => ({ version: '-' }),
};
