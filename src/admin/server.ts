/** The admin API's HTTP server: whether a request may be made, which route answers it, and how long it may take. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AdminToken } from '../config/config.ts';
import { NotServing } from '../control/lifecycle.ts';
import type { Address } from '../core/contract.ts';
import { closeServer, listenOnPath } from '../drivers/unix-path.ts';
import { crossOrigin, type Permission, Tokens } from './access.ts';
import { type FieldError, mistaken, unknownKeyText } from './api/fields.ts';
import type { AdminSource, ApiRequest, Route, RouteDeps } from './api/route.ts';
import { routesAt } from './api/routes.ts';
import { Snapshots } from './api/snapshots.ts';
import { statusOf } from './api/status.ts';
import { Connections } from './connections.ts';
import { bodyOf, failure, mediaTypeOf, type Reply, send } from './http.ts';
import { refusalOfHost, refusalOfOrigin, refusalOfReader, refusalWithoutToken } from './refusals.ts';

export interface AdminServerDeps extends Omit<RouteDeps, 'snapshots'> {
  /** Every request but those to `/livez` and `/readyz` must bear one of them; without any, none need. */
  readonly tokens: readonly AdminToken[];
  /** Told of every request that may change something. */
  onChange(change: Change): void;
  /** Told of what should not happen, such as an answer that could not be made. */
  onError(error: unknown): void;
}

/** A request that may change something, who made it, and what came of it. */
export interface Change {
  readonly by: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** More than what watches a process needs at once. */
const mostConnections = 64;

/** For answers that are not read; the metrics of thousands of backends fit in. */
const mostUnreadBytes = 32 * 1024 * 1024;

/** For an answer to be read to its end. */
const readingMs = 30_000;

/** For how long no byte may move in either direction, but while an answer is made. */
const silenceMs = 60_000;

/** Read of a body that no route wants. */
const mostUnwantedBytes = 65_536;

export class AdminServer {
  readonly #deps: RouteDeps;
  readonly #tokens: Tokens;
  readonly #onChange: AdminServerDeps['onChange'];
  readonly #onError: (error: unknown) => void;
  readonly #http: Server;
  #closed: Promise<unknown> | undefined;
  readonly #connections = new Connections(mostConnections, mostUnreadBytes);

  constructor({ tokens, onChange, onError, ...deps }: AdminServerDeps) {
    this.#deps = { ...deps, snapshots: new Snapshots(() => snapshotEvent(deps)) };
    this.#tokens = new Tokens(tokens);
    this.#onChange = onChange;
    this.#onError = onError;
    this.#http = boundedServer((request, response) => void this.#answerInTurn(request, response));
    this.#http.on('connection', (socket) => this.#connections.add(socket));
  }

  /**
   * Gives back the address, with the port it took, once connections are accepted. Rejects with the system's
   * error (`code` is EADDRINUSE, EACCES, …). A unix socket left behind by a process that died is replaced.
   */
  async listen(bind: Address): Promise<Address> {
    if ('path' in bind) await listenOnPath(this.#http, bind.path, { mode: bind.mode });
    else {
      this.#http.listen({ ...bind });
      await once(this.#http, 'listening');
    }
    this.#http.on('error', this.#onError);
    const bound = this.#http.address();
    return 'path' in bind || bound === null || typeof bound === 'string'
      ? bind
      : { ...bind, port: bound.port };
  }

  get isListening(): boolean {
    return this.#http.listening;
  }

  /** Frees the address at once; answers under way are still given. */
  stopListening(): void {
    if (!this.#http.listening) return;
    this.#closed = once(this.#http, 'close');
    closeServer(this.#http);
  }

  /**
   * Stops listening, closes idle connections, and after a second those with an answer under way too. A reload
   * may be that answer: don't await this within one.
   */
  async close(): Promise<void> {
    this.stopListening();
    if (this.#closed === undefined) return;
    const cut = setTimeout(() => this.#http.closeAllConnections(), 1_000);
    await this.#closed;
    clearTimeout(cut);
  }

  async #answerInTurn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const before = this.#connections.answersBefore(request.socket, response);
    if (before === undefined) request.socket.destroy();
    else await before;
    // A client that has left asks for nothing any more.
    if (!request.socket.destroyed) await this.#answer(request, response);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    let reply: Reply;
    try {
      reply = await this.#reply(request, response);
    } catch (error) {
      this.#onError(error);
      reply = failure(500, 'The answer could not be made; the log says why');
    }
    // Once it is told to close, the server waits for connections that would be kept alive.
    if (!this.#http.listening) response.shouldKeepAlive = false;
    send(response, reply);
    // A stream has no end, and stays what is being answered.
    if (reply.stream !== undefined) return;
    socket.setTimeout(silenceMs);
    this.#connections.enter(socket, 'sending');
    const unread = setTimeout(() => socket.destroy(), readingMs).unref();
    response.once('close', () => {
      clearTimeout(unread);
      this.#connections.enter(socket, 'waiting');
    });
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<Reply> {
    switch (crossOrigin(request)) {
      case 'host':
        return refusalOfHost(request);
      case 'origin':
        return refusalOfOrigin(request);
    }
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const found = routesAt(path);
    const byMethod = found.find(({ route }) => methodsOf(route).includes(request.method ?? ''));
    const client = this.#clientOf(request);
    const isOpen = found.some(({ route }) => route.may === 'none');
    if (client === undefined && !isOpen) return refusalWithoutToken(request);
    if (found.length === 0) return failure(404, `Nothing is at ${path}`);
    if (byMethod === undefined) {
      const methods = found.flatMap(({ route }) => methodsOf(route));
      return failure(405, `Expected ${methods.join(' or ')}, found ${request.method}`, {
        allow: methods.join(', '),
      });
    }
    const { route, params } = byMethod;
    if (route.may === 'operate' && client?.may !== 'operate') return refusalOfReader(client?.name ?? '');
    if (route.body !== undefined && mediaTypeOf(request) !== route.body.type) {
      return failure(415, `Expected Content-Type: ${route.body.type}`, { connection: 'close' });
    }
    const mostBytes = route.body?.mostBytes ?? mostUnwantedBytes;
    const body = await bodyOf(request, mostBytes);
    if (body === undefined) {
      return failure(413, `Expected a body of at most ${mostBytes} bytes`, { connection: 'close' });
    }
    this.#connections.enter(request.socket, 'answering');
    // An answer takes the time that it takes: of a reload, of what is waited for.
    request.socket.setTimeout(0);
    const query = new URLSearchParams(search);
    const mistakes = mistakesIn(route, query);
    if (mistakes.length > 0) return mistaken(mistakes);
    const revision = revisionIn(request);
    if (route.may === 'operate' && revision !== undefined && !route.hasRevision)
      return failure(412, 'Nothing here has a revision: ask without the header If-Match');
    const left = new AbortController();
    response.once('close', () => left.abort());
    const by = client?.name ?? '';
    const reply = await this.#replyOf(route, {
      ...{ body, params, query, by, may: client?.may ?? 'read' },
      ...{ revision, known: request.headers['if-none-match'], left: left.signal },
      lastEventId: lastEventIdIn(request, query),
    });
    if (route.may === 'operate') {
      this.#onChange({ by, method: route.method, path, status: reply.status, ...reply.audit });
    }
    return reply;
  }

  /** What a route answers, or that the proxy is not up to that yet, or no longer. */
  async #replyOf(route: Route, request: ApiRequest): Promise<Reply> {
    try {
      if (this.#deps.view.phase === 'starting' && !route.whileStarting) throw NotServing.starting;
      return await route.reply(this.#deps, request);
    } catch (error) {
      if (error instanceof NotServing) return failure(503, error.message);
      throw error;
    }
  }

  /** Where no token is required, a client is known by its address. */
  #clientOf({ headers, socket }: IncomingMessage): { name: string; may: Permission } | undefined {
    if (this.#tokens.areRequired) return this.#tokens.findBearer(headers.authorization);
    return { name: socket.remoteAddress ?? 'unix', may: 'operate' };
  }
}

/** The one of If-Match (RFC 9110, 13.1.1), of which there may be one here; `*` is any. */
function revisionIn({ headers }: IncomingMessage): string | undefined {
  const [, revision = headers['if-match']] = /^"(.*)"$/.exec(headers['if-match'] ?? '') ?? [];
  return revision === '*' ? undefined : revision;
}

/** A key that is mistaken would be read past, and something else done than was meant. */
function mistakesIn({ query: keys }: Route, query: URLSearchParams): readonly FieldError[] {
  if (keys === undefined) return [];
  return [...new Set(query.keys())].flatMap((key) => {
    if (!keys.includes(key)) return [{ path: key, message: unknownKeyText(key, keys) }];
    return query.getAll(key).length > 1 ? [{ path: key, message: 'Expected it once, found it twice' }] : [];
  });
}

/** A browser's EventSource sends the header when it comes back; the parameter is for those who come first. */
function lastEventIdIn({ headers }: IncomingMessage, query: URLSearchParams): string | undefined {
  const header = headers['last-event-id'];
  return typeof header === 'string' ? header : (query.get('lastEventId') ?? undefined);
}

/** A client that is slow to ask or to listen gives way to others: each wait has an end. */
function boundedServer(onRequest: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer(
    {
      maxHeaderSize: 16_384,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
    },
    onRequest,
  );
  server.timeout = silenceMs;
  return server;
}

/** It has no id, so that a client which reconnects is not sent it again. */
function snapshotEvent(source: AdminSource): string {
  const at = new Date().toISOString();
  return `event: snapshot\ndata: ${JSON.stringify({ at, ...statusOf(source, source.view.snapshot()) })}\n\n`;
}

function methodsOf({ method }: Route): readonly string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}
