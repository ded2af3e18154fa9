/** Asks the admin API of a running proxy. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { ReloadError } from '../../admin/api/route.ts';
import { formatAddress } from '../../config/addresses.ts';
import { type AdminAddress, connectionTo } from '../admin-address.ts';

export interface ApiQuestion {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** What is absent of it is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** As JSON; what is undefined of it is left out. */
  readonly body?: object;
  /** For the whole answer. */
  readonly timeoutMs?: number;
}

export interface ApiAnswer<Body = unknown> {
  readonly status: number;
  /** What the JSON says, or the text where it is none; undefined where there is nothing. */
  readonly body: Body;
}

/** The proxy can't be asked, or does not do what it is asked: said in a sentence, exit code 1. */
export class RefusedError extends Error {
  /** What the proxy has answered, if it has. */
  readonly answer: ApiAnswer | undefined;

  constructor(message: string, answer?: ApiAnswer, options?: ErrorOptions) {
    super(message, options);
    this.answer = answer;
  }
}

const usualTimeoutMs = 30_000;

/** The longest list of sessions and the state of thousands of backends are a few of them. */
const mostBytes = 64 * 1024 * 1024;

export class AdminClient {
  readonly #admin: AdminAddress;

  /** The token is that of the address. */
  constructor(admin: AdminAddress) {
    this.#admin = admin;
  }

  /**
   * Fulfils with an answer of success, or of one of the `other` statuses; rejects with a RefusedError. `Body` is what
   * this version of the API answers.
   */
  async ask<Body>(
    path: string,
    question: ApiQuestion = {},
    other: readonly number[] = [],
  ): Promise<ApiAnswer<Body>> {
    const { timeoutMs = usualTimeoutMs } = question;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await this.#responseTo(path, question, signal);
      const answer = { status: response.statusCode ?? 0, body: bodyIn(await textOf(response)) };
      if (answer.status < 300 || other.includes(answer.status)) return answer as ApiAnswer<Body>; // As documented.
      throw this.#refused(answer);
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      throw this.#unanswered(signal.aborted ? `no answer within ${timeoutMs / 1_000} s` : error, error);
    }
  }

  /** An answer that goes on until `signal` aborts it. Rejects with a RefusedError. */
  async stream(path: string, { query, headers, signal }: StreamQuestion): Promise<AsyncIterable<Buffer>> {
    const question = query === undefined ? {} : { query };
    const response = await this.#responseTo(path, question, signal, headers).catch((error: unknown) => {
      throw this.#unanswered(error, error);
    });
    if (response.statusCode === 200) return response;
    throw this.#refused({ status: response.statusCode ?? 0, body: bodyIn(await textOf(response)) });
  }

  #responseTo(
    path: string,
    { method = 'GET', query = {}, body }: ApiQuestion,
    signal: AbortSignal,
    more: Headers = {},
  ): Promise<IncomingMessage> {
    const { address, token } = this.#admin;
    const given = Object.entries(query).filter(([, value]) => value !== undefined) as [string, string][];
    const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
    const headers = {
      ...more,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    return new Promise((resolve, reject) => {
      const asked: ClientRequest = request(
        { ...connectionTo(address), method, path: `${path}${search}`, headers, agent: false, signal },
        resolve,
      );
      asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #refused(answer: ApiAnswer): RefusedError {
    if (answer.status !== 401) return new RefusedError(sentenceOf(answer), answer);
    const found = this.#admin.token === undefined ? 'wants a token' : 'wants another token';
    const hint = 'set SLUICE_ADMIN_TOKEN, or name a file that has it with --token-file';
    return new RefusedError(`The proxy ${found}: ${hint}`, answer);
  }

  #unanswered(why: unknown, cause: unknown): RefusedError {
    const { address, guess } = this.#admin;
    const because = guess === undefined ? '' : ` (asked there because ${guess}; name it with --admin)`;
    const text = why instanceof Error ? why.message : why;
    return new RefusedError(`No sluice answers at ${formatAddress(address)}: ${text}${because}`, undefined, {
      cause,
    });
  }
}

type Headers = Readonly<Record<string, string>>;

export interface StreamQuestion extends Pick<ApiQuestion, 'query'> {
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** A path of the API; names in it may have any characters. */
export function apiPath(...parts: readonly string[]): string {
  return ['/api/v1', ...parts.map(encodeURIComponent)].join('/');
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`its answer is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bodyIn(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Why it is refused, as the proxy says it. */
function sentenceOf({ status, body }: ApiAnswer): string {
  const { error, errors } = (body ?? {}) as {
    readonly error?: string;
    readonly errors?: readonly ReloadError[];
  };
  if (typeof error === 'string') return error;
  if (Array.isArray(errors)) return errors.map(mistakeText).join('\n');
  return `The proxy answers ${status}`;
}

/** One that is wrong with a request, or with a configuration and then with its place. */
export function mistakeText({ file, line, column, path, message }: ReloadError): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  const head = [place, path].filter((part) => part).join(' ');
  return head === '' ? message : `${head}: ${message}`;
}
