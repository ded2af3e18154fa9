/** The admin API as a table: what each path answers. */
import type { Metrics } from '../telemetry/metrics.ts';
import { json, type Reply } from './reply.ts';
import type { AdminSource } from './source.ts';
import { status } from './status.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Answers without a token, so that whatever watches the process needs no secret. */
  readonly open?: boolean;
  reply(answering: Answering): Reply | Promise<Reply>;
}

export interface Answering {
  readonly source: AdminSource;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/livez', { method: 'GET', open: true, reply: () => json(200, { live: true }) }],
  ['/readyz', { method: 'GET', open: true, reply: readiness }],
  ['/metrics', { method: 'GET', reply: metricsText }],
  ['/api/v1/status', { method: 'GET', reply: ({ source }) => json(200, status(source)) }],
  ['/api/v1/reload', { method: 'POST', reply: reload }],
]);

function readiness({ source: { phase } }: Answering): Reply {
  const ready = phase === 'serving';
  return json(ready ? 200 : 503, { ready, phase });
}

async function metricsText({ metrics }: Answering): Promise<Reply> {
  return { status: 200, type: metrics.contentType, body: await metrics.text() };
}

async function reload({ source }: Answering): Promise<Reply> {
  const result = await source.reload();
  return result.ok ? json(200, { reloaded: true }) : json(422, { errors: result.errors });
}
