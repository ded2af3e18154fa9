import { mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { connected, ending, named, startBackend, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { type LogLine, Sluice } from '../support/sluice.ts';

const backend = await startBackend(named('ok'));
afterAll(() => backend.close());

let running: Sluice | undefined;
afterEach(() => running?.stop());

function configText(log: object, port: number): string {
  return JSON.stringify({
    version: 1,
    workers: 1,
    driver: process.env['SLUICE_DRIVER'] ?? 'auto',
    listeners: { web: { bind: `127.0.0.1:${port}`, pool: 'app' } },
    pools: { app: { backends: [backend.address] } },
    log,
  });
}

function linesOf(file: string): readonly LogLine[] {
  const text = readFileSync(file, 'utf8').trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as LogLine);
}

/** A run whose log goes to a file. */
async function start(log: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(folder, 'sluice.log');
  writeFileSync(join(folder, 'sluice.yaml'), configText({ file: 'sluice.log', ...log }, 0));
  const sluice = Sluice.spawn(['run', '-c', join(folder, 'sluice.yaml')], [], folder);
  running = sluice;
  const logged = (msg: string, where = file): Promise<LogLine> =>
    eventually(() => {
      const line = linesOf(where).find((one) => one.msg === msg);
      if (line === undefined) throw new Error(`${msg} is not in ${readFileSync(where, 'utf8')}`);
      return line;
    });
  await logged('serving');
  const port = Number(
    String((await logged('listening'))['bind'])
      .split(':')
      .at(-1),
  );
  return { sluice, file, port, logged };
}

async function visit(port: number): Promise<void> {
  const client = await connected(port);
  expect(await textOf(client, 2)).toBe('ok');
  client.end();
  await ending(client);
}

describe('log.file', () => {
  it('has all lines, those of workers too, and standard output none', async () => {
    const { sluice, port, file, logged } = await start();
    await visit(port);
    await logged('session closed');
    sluice.signal('SIGTERM');
    expect(await sluice.ended).toBe(0);
    expect(linesOf(file).at(-1)?.msg).toBe('stopped');
    expect([sluice.stdout, sluice.stderr]).toEqual(['', '']);
  });

  it('is opened again at SIGUSR1, as logrotate wants', async () => {
    const { sluice, port, file, logged } = await start();
    await visit(port);
    await logged('session closed');
    renameSync(file, `${file}.1`);
    sluice.signal('SIGUSR1');
    await eventually(() => expect(linesOf(file).map(({ msg }) => msg)).toEqual(['log file reopened']));
    await visit(port);
    await logged('session closed');
    expect(linesOf(`${file}.1`).filter(({ msg }) => msg === 'session closed')).toHaveLength(1);
  });

  it('that can not be written keeps sluice from starting, and a reload from being done', async () => {
    const { sluice, file, port, logged } = await start();
    sluice.rewrite(configText({ file: 'none/sluice.log' }, port));
    sluice.signal('SIGHUP');
    expect(await logged('configuration not reloaded')).toMatchObject({
      message: expect.stringMatching(
        /^Cannot write the log to .*none.sluice\.log: no such file or directory/,
      ),
    });
    sluice.rewrite(configText({ file: 'other.log' }, port));
    sluice.signal('SIGHUP');
    await logged('configuration reloaded', join(file, '..', 'other.log'));
    await visit(port);

    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    writeFileSync(join(folder, 'sluice.yaml'), configText({ file: 'none/sluice.log' }, 0));
    const refused = Sluice.spawn(['run', '-c', join(folder, 'sluice.yaml')], [], folder);
    expect(await refused.ended).toBe(1);
    expect(refused.stderr).toMatch(/^sluice: Cannot write the log to .*none.sluice\.log: no such file/);
    await refused.stop();
  });
});

describe('log.fields', () => {
  it('says what the lines of connections have', async () => {
    const { port, logged } = await start({ fields: ['reason', 'listener'] });
    await visit(port);
    expect(Object.keys(await logged('session closed'))).toEqual([
      'level',
      'time',
      'reason',
      'listener',
      'msg',
    ]);
  });
});
