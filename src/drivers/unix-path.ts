/**
 * Names of unix sockets in the file system. A name outlives the process that listened there, so the next one
 * removes one that nobody listens on; and whoever stops removes its own alone, for another may have the name by now.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { errorCode } from './shared.ts';

/** A socket as it was found under a name. */
export interface SocketFile {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** What stands under the name; undefined where nothing does, or no socket. */
export function socketFileAt(path: string): SocketFile | undefined {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return found?.isSocket() ? { path, device: found.dev, inode: found.ino } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Removes the name if the same socket stands under it still. To be called before the socket is closed: its number is
 * nobody else's until then, and whoever finds that nobody listens takes the name.
 */
export function removeSocketFile({ path, device, inode }: SocketFile): void {
  const found = socketFileAt(path);
  if (found?.device !== device || found.inode !== inode) return;
  try {
    unlinkSync(path);
  } catch {
    // Someone else has removed it, or we may not.
  }
}

/**
 * Has a server of Node's listen under the name. Node removes whatever stands under the name that it bound when it
 * closes; so it binds another one, and the socket gets its own name once it listens. With a mode, that one is in a
 * folder of our own, so that nobody connects before the socket has its mode. Rejects with the system's error.
 */
export async function listenOnPath(
  server: Server,
  path: string,
  { replaces = false, mode, ...options }: ListenOptions & PathOptions = {},
): Promise<void> {
  const folder = mode === undefined ? undefined : mkdtempSync(join(dirname(path), '/'));
  const temporary = folder === undefined ? temporaryName(path) : join(folder, 's');
  const listening = once(server, 'listening');
  server.listen({ ...options, path: temporary });
  try {
    await listening;
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replaceAll(temporary, path);
    if (folder !== undefined) removeFolder(folder);
    throw error;
  }
  try {
    if (mode !== undefined) chmodSync(temporary, mode);
    if (replaces) renameSync(temporary, path);
    else await giveName(temporary, path);
    const file = socketFileAt(path);
    if (file !== undefined) files.set(server, file);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    if (folder !== undefined) removeFolder(folder);
  }
}

export interface PathOptions {
  /** Takes the name from the process that has it. */
  readonly replaces?: boolean | undefined;
  /** The socket's permissions. */
  readonly mode?: number | undefined;
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Closes a server, and first removes the name that `listenOnPath` gave it. */
export function closeServer(server: Server): void {
  removeName(server);
  server.close();
}

/** Removes the name that `listenOnPath` gave the server. Returns whether there was one. */
export function removeName(server: Server): boolean {
  const file = files.get(server);
  if (file !== undefined) removeSocketFile(file);
  return files.delete(server);
}

const files = new WeakMap<Server, SocketFile>();

async function giveName(temporary: string, path: string): Promise<void> {
  if (moved(temporary, path)) return;
  const found = socketFileAt(path);
  if (found !== undefined && (await refuses(path))) {
    removeSocketFile(found);
    if (moved(temporary, path)) return;
  }
  throw Object.assign(new Error(`listen EADDRINUSE: address already in use ${path}`), { code: 'EADDRINUSE' });
}

/** Returns false where the name is taken. Throws a system error for anything else. */
function moved(temporary: string, path: string): boolean {
  try {
    // Unlike rename(2) this replaces nothing.
    linkSync(temporary, path);
    unlinkSync(temporary);
    return true;
  } catch (error) {
    if (existsSync(path)) return false;
    if (!withoutLinks.has(errorCode(error))) throw error;
    renameSync(temporary, path);
    return true;
  }
}

/** What a file system says that knows no hard links, or none of sockets. */
const withoutLinks = new Set<unknown>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Whether nobody listens there. Only a refusal proves that: a full queue (EAGAIN) or a lack of rights do not, see
 * connect(2). Node connects without blocking, so that a queue that nobody empties is no wait either.
 */
async function refuses(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return errorCode(error) === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

/** In the same folder, so that it can be linked; with the name in it where there is room, for those who look. */
export function temporaryName(path: string): string {
  const folder = join(dirname(path), '/');
  const room = longestPath - Buffer.byteLength(folder);
  for (let tries = 0; ; tries++) {
    const chance = randomInt(36 ** 6)
      .toString(36)
      .padStart(6, '0');
    const spoken = `${path}.${chance}`;
    const name = Buffer.byteLength(spoken) <= longestPath ? spoken : folder + chance.slice(-room);
    // Where there is room for a letter or two, another may have it.
    if (tries === mostTries || (name !== path && !existsSync(name))) return name;
  }
}

const mostTries = 100;

/** The kernel keeps a socket's path in 108 bytes, the last of which is NUL: see unix(7). */
const longestPath = 107;
