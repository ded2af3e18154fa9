/** An admin server over a fake source, and a client that can say anything. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { AdminServer, type Change } from '../../src/admin/server.ts';
import type { AdminToken } from '../../src/config/config.ts';
import type { Address } from '../../src/core/contract.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { FakeSource } from '../telemetry/fake-source.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export async function startAdmin({
  token,
  tokens = token === undefined ? [] : [{ name: 'token', token, may: 'operate' }],
  bind = { host: '127.0.0.1', port: 0 },
}: {
  token?: string;
  tokens?: readonly AdminToken[];
  bind?: Address;
} = {}) {
  const source = new FakeSource();
  const metrics = new Metrics(source);
  const errors: unknown[] = [];
  const changes: Change[] = [];
  const server = new AdminServer({
    ...{ ...source, metrics, tokens },
    onChange: (change) => changes.push(change),
    onError: (error) => errors.push(error),
  });
  const address = await server.listen(bind);
  onTestFinished(() => server.close());
  const ask = (path: string, asking?: Asking): Promise<Answer> => answerOf(open(address, path, asking));
  return { source, metrics, server, address, errors, changes, ask };
}

/** A request of its own connection, sent whole. */
export function open(
  address: Address,
  path: string,
  { method = 'GET', headers = {}, body }: Asking = {},
): ClientRequest {
  const where = 'path' in address ? { socketPath: address.path } : address;
  const asked = request({ ...where, path, method, headers, agent: false });
  asked.end(body);
  return asked;
}

export async function answerOf(asked: ClientRequest): Promise<Answer> {
  const [response] = await once(asked, 'response', { signal: AbortSignal.timeout(10_000) });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}
