import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blackHole } from '../conformance/black-hole.ts';
import { startAdmin } from './fixture.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-admin-'));
  path = join(folder, 'admin.sock');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('AdminServer on a unix socket', () => {
  test('answers whatever the Host, and takes its socket away at the end', async () => {
    const { address, ask, server } = await startAdmin({ bind: { path } });
    expect(address).toEqual({ path });
    expect((await ask('/metrics', { headers: { host: 'sluice' } })).status).toBe(200);
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  test('replaces a socket that nobody listens on', async () => {
    const dead = createServer().listen(join(folder, 'other.sock'));
    await once(dead, 'listening');
    renameSync(join(folder, 'other.sock'), path);
    dead.close();
    await once(dead, 'close');
    expect(existsSync(path)).toBe(true);
    const { ask } = await startAdmin({ bind: { path } });
    expect((await ask('/livez')).status).toBe(200);
  });

  test('leaves a socket that is in use', async () => {
    const { ask } = await startAdmin({ bind: { path } });
    await expect(startAdmin({ bind: { path } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect((await ask('/livez')).status).toBe(200);
  });

  test('leaves one whose owner hangs, and does not wait for it', async () => {
    const hole = await blackHole({ path });
    await expect(startAdmin({ bind: { path } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await hole.close();
  });

  test('leaves alone what another has put in its place', async () => {
    const { server } = await startAdmin({ bind: { path } });
    rmSync(path);
    const successor = await startAdmin({ bind: { path } });
    await server.close();
    expect((await successor.ask('/livez')).status).toBe(200);
    expect(readdirSync(folder)).toEqual(['admin.sock']);
  });

  test('leaves a file that is no socket', async () => {
    writeFileSync(path, 'precious');
    await expect(startAdmin({ bind: { path } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(existsSync(path)).toBe(true);
  });
});
