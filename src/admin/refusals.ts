/**
 * Refusals of requests that may not be made. Each says why, and what would do: which header to send, or which key of
 * the configuration to change.
 */
import type { IncomingMessage } from 'node:http';
import { failure, type Reply } from './http.ts';

export function refusalOfHost({ headers, socket }: IncomingMessage): Reply {
  const found = JSON.stringify(headers.host?.slice(0, mostShown));
  return failure(
    421,
    `Expected a Host header with a loopback address or the one that was connected to, found ${found}: ask for ` +
      `${socket.localAddress} or localhost, or send "Host: localhost"`,
  );
}

export function refusalOfOrigin({ headers }: IncomingMessage): Reply {
  const found = JSON.stringify(headers.origin?.slice(0, mostShown));
  return failure(
    403,
    `Web pages of other origins may not use the admin API, and this one is of ${found}: ask without the header Origin`,
  );
}

export function refusalWithoutToken({ headers: { authorization } }: IncomingMessage): Reply {
  const found =
    authorization === undefined
      ? 'none: send "admin.token" of the configuration, or one of "admin.tokens"'
      : /^bearer /i.test(authorization)
        ? 'one that is not in the configuration, which holds as it was last loaded'
        : 'another scheme';
  const error = `Expected "Authorization: Bearer" with a token of the admin section, found ${found}`;
  return failure(401, error, { 'www-authenticate': 'Bearer' });
}

export function refusalOfReader(name: string): Reply {
  return failure(
    403,
    `Expected a token that may operate; ${name} may only read, unless it has "may: operate" in "admin.tokens"`,
  );
}

const mostShown = 100;
