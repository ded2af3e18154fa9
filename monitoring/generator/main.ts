/** `npm run dashboards`: writes monitoring/dashboards/, one file for each. */
import { writeFileSync } from 'node:fs';
import { dashboards } from './dashboards.ts';

for (const one of dashboards) {
  writeFileSync(`monitoring/dashboards/${one.uid}.json`, `${JSON.stringify(one, null, 2)}\n`);
}
