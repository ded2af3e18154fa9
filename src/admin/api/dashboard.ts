/**
 * The dashboard: a page in a browser, which asks the API as anybody else does. Its files lie beside the code and are
 * read when somebody asks for them, so that they take no memory. They hold no secrets, and so want no token.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dashboardFolder } from '../../beside.ts';
import { failure, type Reply } from '../http.ts';
import type { ApiRequest, Route } from './route.ts';

/** The page may load from this server alone, and no text becomes code or markup. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

export const dashboard: Route = {
  path: '/',
  method: 'GET',
  may: 'none',
  whileStarting: true,
  reply: (_, request) => fileReply('index.html', request),
};

export const dashboardFile: Route = {
  path: '/dashboard/{file}',
  method: 'GET',
  may: 'none',
  whileStarting: true,
  reply: (_, request) => fileReply(request.params['file'] ?? '', request),
};

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

async function fileReply(name: string, { known }: ApiRequest): Promise<Reply> {
  // No name leads out of the folder.
  const [, ending = ''] = /^[a-z-]+\.([a-z]+)$/.exec(name) ?? [];
  const type = Object.hasOwn(types, ending) ? types[ending] : undefined;
  const body = type === undefined ? undefined : await textOf(name);
  if (type === undefined || body === undefined) return failure(404, 'The dashboard has no such file');
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const headers = {
    etag,
    // A browser asks each time whether it has changed, for an upgrade may come at any time.
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
  };
  const isKnown = known?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ?? false;
  return isKnown ? { status: 304, type, body: '', headers } : { status: 200, type, body, headers };
}

async function textOf(name: string): Promise<string | undefined> {
  try {
    return await readFile(new URL(name, dashboardFolder), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // All errors of node:fs have codes.
    throw error;
  }
}
