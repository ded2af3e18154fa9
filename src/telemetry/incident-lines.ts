/** The lines of what happens to backends while sessions go on, written by the worker that has seen it. */
import type { Logger } from 'pino';
import type { CircuitIncident, DialIncident, Incident } from '../core/reports.ts';
import { endpointText } from './endpoint-text.ts';

export function logIncident(logger: Logger, incident: Incident): void {
  if (incident.kind === 'circuit') logCircuit(logger, incident);
  else logFailedDial(logger, incident);
}

/** At `debug`: a session tells of its own dials, and the breaker of those that count. */
function logFailedDial(logger: Logger, { kind: _, client, ...dial }: DialIncident): void {
  if (logger.isLevelEnabled('debug')) logger.debug({ ...dial, client: endpointText(client) }, 'dial failed');
}

function logCircuit(logger: Logger, { pool, backend, change }: CircuitIncident): void {
  const { to, ...facts } = change;
  const fields = { pool, backend, ...facts };
  if (to === 'open') logger.warn(fields, 'circuit opened');
  else if (to === 'half-open') logger.debug(fields, 'circuit half-open');
  else logger.info(fields, 'circuit closed');
}
