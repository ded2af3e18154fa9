import type { Subject } from './subject.ts';

/** No proxy at all: what the load and the backend can do by themselves, beside which the others stand. */
export const direct: Subject = {
  name: 'direct',
  about: 'no proxy: the load speaks to the backend itself',
  cores: 1,
  presence: async () => ({ version: '-' }),
};
