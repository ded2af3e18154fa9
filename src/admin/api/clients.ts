import { UnknownName } from '../../control/administered.ts';
import { limitOf } from '../../core/explain/explanation.ts';
import { json } from '../http.ts';
import { count, mistaken, readObject, text } from './fields.ts';
import { orRefusal } from './resource.ts';
import type { Route } from './route.ts';

const usualMost = 20;

const fields = { listener: text(253), most: count(1_000) };

/** The clients of a listener that have most connections. */
export const clients: Route = {
  path: '/api/v1/clients',
  method: 'GET',
  may: 'read',
  query: Object.keys(fields),
  reply: ({ view }, { query }) =>
    orRefusal(() => {
      const read = readObject(Object.fromEntries(query), fields);
      if (!read.ok) return mistaken(read.errors);
      const { listener: name, most = usualMost } = read.value;
      if (name === undefined)
        return mistaken([{ path: 'listener', message: 'Expected the name of a listener, found none' }]);
      const { listeners } = view.snapshot();
      const names = listeners.map((one) => one.name);
      const listener = listeners[names.indexOf(name)];
      const busy = view.busiestClients(name, most);
      if (listener === undefined || busy === undefined) throw new UnknownName('listener', name, names);
      return json(200, { listener: name, active: listener.active, limit: limitOf(listener.limit), ...busy });
    }),
};
