/** What the admin API needs of HTTP: bodies are read, replies sent. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the log's line of a change says besides who made it. */
  readonly audit?: object;
  /** Goes on sending behind `body`, for as long as the client is there. */
  readonly stream?: (out: StreamOut) => void;
}

export interface StreamOut {
  /** A client that leaves too much unread is cut off. */
  write(text: string): void;
  /** Whether all that was written is out of our hands. */
  isRead(): boolean;
}

export function json(status: number, value: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n`, headers };
}

export function failure(
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return json(status, { error }, headers);
}

/** Sends the reply whole; to HEAD, Node leaves the body out by itself. */
export function send(response: ServerResponse, { status, type, body, headers, stream }: Reply): void {
  response.writeHead(status, {
    'content-type': type,
    // Without a body, the length would be that of another answer.
    ...(stream === undefined && status !== 304 && { 'content-length': Buffer.byteLength(body) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  if (stream === undefined || response.req.method === 'HEAD') {
    response.end(body);
    return;
  }
  response.write(body);
  stream({
    write(text) {
      // A client that does not read reconnects and asks for the events that it missed.
      if (response.writableLength > mostUnreadOfStream) response.destroy();
      else response.write(text);
    },
    isRead: () => response.writableLength === 0,
  });
}

const mostUnreadOfStream = 1024 * 1024;

/** The Content-Type of a request, without parameters (RFC 9110, 8.3.1). */
export function mediaTypeOf({ headers }: IncomingMessage): string | undefined {
  return headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
}

/** Reads the body to its end; undefined if it is longer than it may be, or breaks off. */
export function bodyOf(request: IncomingMessage, mostBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > mostBytes) resolve(undefined);
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => resolve(undefined));
  });
}
