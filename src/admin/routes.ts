/** The admin API as a table: what each path answers. */
import type { Metrics } from '../telemetry/metrics.ts';
import { readInquiry } from './inquiry.ts';
import { failure, json, type Reply } from './reply.ts';
import type { AdminSource } from './source.ts';
import { status } from './status.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Answers without a token, so that whatever watches the process needs no secret. */
  readonly open?: boolean;
  /** What it wants to be sent; a route without one reads past whatever is. */
  readonly body?: { readonly type: 'application/json'; readonly mostBytes: number };
  reply(deps: RouteDeps, body: Buffer): Reply | Promise<Reply>;
}

export interface RouteDeps {
  readonly source: AdminSource;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** Holds 64 KiB of bytes in base64. */
const inquiryBody = { type: 'application/json', mostBytes: 98_304 } as const;

export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/livez', { method: 'GET', open: true, reply: () => json(200, { live: true }) }],
  ['/readyz', { method: 'GET', open: true, reply: readiness }],
  ['/metrics', { method: 'GET', reply: metricsText }],
  [
    '/api/v1/status',
    { method: 'GET', reply: ({ source }) => json(200, status(source.snapshot(), source.build)) },
  ],
  ['/api/v1/reload', { method: 'POST', reply: reload }],
  ['/api/v1/explain', { method: 'POST', body: inquiryBody, reply: explanation }],
]);

function readiness({ source: { phase } }: RouteDeps): Reply {
  const ready = phase === 'serving';
  return json(ready ? 200 : 503, { ready, phase });
}

async function metricsText({ metrics }: RouteDeps): Promise<Reply> {
  return { status: 200, type: metrics.contentType, body: await metrics.text() };
}

async function reload({ source }: RouteDeps): Promise<Reply> {
  const result = await source.reload();
  return result.ok ? json(200, { reloaded: true }) : json(422, { errors: result.errors });
}

function explanation({ source }: RouteDeps, body: Buffer): Reply {
  const inquiry = readInquiry(
    body,
    source.plan.listeners.map(({ name }) => name),
  );
  return typeof inquiry === 'string' ? failure(400, inquiry) : json(200, source.explain(inquiry));
}
