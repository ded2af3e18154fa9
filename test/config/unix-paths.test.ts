// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { BindError } from '../../src/control/bind-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const server = createServer();
mkdirSync(join(folder, 'folder'));
writeFileSync(join(folder, 'file'), '');
symlinkSync(join(folder, 'file'), join(folder, 'link'));
symlinkSync(join(folder, 'socket'), join(folder, 'link-to-socket'));

beforeAll(() => new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve)));
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

function warnings(bind: string, backend = '127.0.0.1:9000'): readonly string[] {
  const text = `version: 1
listeners: { web: { bind: "${bind}", pool: app } }
pools: { app: { backends: ["${backend}"] } }
`;
  const result = parseConfig(text, { file: 'sluice.yaml', env: { RUN: folder } });
  if (!result.ok) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return result.warnings.map(({ path, message }) => `${path}: ${message.replaceAll(folder, 'HERE')}`);
}

const unfit = [
  ['file', 'a regular file is there; choose another path or remove it'],
  ['folder', 'a folder is there; choose another path or remove it'],
  ['link', 'a symbolic link is there; choose another path or remove it'],
  ['gone/socket', 'the folder HERE/gone does not exist; create it'],
  ['file/socket', 'HERE/file is no folder; choose another path'],
] as const;

describe('A unix socket to listen on', () => {
  test.each(unfit)('is warned of where it is %s', (name, why) => {
    expect(warnings(`unix:${folder}/${name}`)).toEqual([
      `listeners.web.bind: Nobody can listen there now: ${why}`,
    ]);
  });

  test.each(unfit)('that can’t be bound says why where it is %s', (name, why) => {
    const path = join(folder, name);
    const error = new BindError(
      'Listener "web"',
      { path },
      Object.assign(new Error('no'), { code: 'EADDRINUSE' }),
    );
    expect(error.message.replaceAll(folder, 'HERE')).toBe(
      `Listener "web" can't bind unix:HERE/${name}: ${why}`,
    );
  });

  test.each([
    ['EADDRINUSE', 'another process listens there; stop it or choose another path'],
    ['EACCES', 'this user may not create files in HERE; choose another folder or change its permissions'],
    ['EIO', 'what the system says'],
  ])('that can’t be bound says why where the system says %s', (code, why) => {
    const cause = Object.assign(new Error('what the system says'), { code });
    const error = new BindError('Listener "web"', { path: join(folder, 'socket') }, cause);
    expect(error.message.replaceAll(folder, 'HERE')).toBe(
      `Listener "web" can't bind unix:HERE/socket: ${why}`,
    );
  });

  test.each(['socket', 'new'])('is not warned of where it is %s', (name) => {
    expect(warnings(`unix:${folder}/${name}`)).toEqual([]);
  });

  test('shows nothing of what a variable stands for', () => {
    expect(warnings('unix:${RUN}/file')).toEqual(['listeners.web.bind: Nobody can listen there now']);
  });
});

describe('A unix socket of a backend', () => {
  test.each([
    ['file', 'a regular file is there, and no socket'],
    ['folder', 'a folder is there, and no socket'],
  ])('is warned of where it is %s', (name, why) => {
    expect(warnings(':0', `unix:${folder}/${name}`)).toEqual([
      `pools.app.backends[0]: Nobody can be reached there now: ${why}`,
    ]);
  });

  test.each(['socket', 'link-to-socket', 'new', 'gone/socket'])('is not warned of where it is %s', (name) => {
    expect(warnings(':0', `unix:${folder}/${name}`)).toEqual([]);
  });
});
