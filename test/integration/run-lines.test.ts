/** What the log says of a run: its start, its reloads, its end. */
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { connected, echo, ending, nextText, startBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { type LogLine, nodeBinary, Sluice } from '../support/sluice.ts';

const backend = await startBackend(echo);
afterAll(() => backend.close());

let running: Sluice | undefined;
afterEach(() => running?.stop());

interface Shape {
  readonly listeners?: readonly string[];
  readonly more?: object;
}

function configText({ listeners = ['web'], more = {} }: Shape = {}): string {
  return JSON.stringify({
    version: 1,
    workers: 1,
    driver: process.env['SLUICE_DRIVER'] ?? 'auto',
    listeners: Object.fromEntries(listeners.map((name) => [name, { bind: '127.0.0.1:0', pool: 'app' }])),
    pools: { app: { backends: [backend.address] } },
    admin: { bind: '127.0.0.1:0' },
    shutdown: { grace: '1h' },
    ...more,
  });
}

async function start(shape?: Shape): Promise<Sluice> {
  running = await Sluice.run(configText(shape));
  return running;
}

const doubtfulPools = { app: { backends: [backend.address], connect: { tls: { verify: false } } } };

/** Runs sluice with a file that it does not start with. */
async function ended(text: string): Promise<Sluice> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  writeFileSync(join(folder, 'sluice.yaml'), text);
  running = Sluice.spawn(['run', '-c', join(folder, 'sluice.yaml')], [], folder);
  await running.ended;
  return running;
}

/** Reloads and gives the answer and the line. */
async function reload(sluice: Sluice, shape: Shape) {
  const known = sluice.lines.length;
  const answer = await sluice.reload(configText(shape));
  const isLine = (line: LogLine): boolean =>
    line.msg === 'configuration reloaded' && sluice.lines.indexOf(line) >= known;
  return { answer, line: await sluice.logged(isLine) };
}

async function openClient(sluice: Sluice, listener = 'web') {
  const client = await connected(sluice.port(listener));
  client.write('ping');
  expect(await nextText(client)).toBe('ping');
  return client;
}

describe('the first line', () => {
  it('names the file, its hash, the process, and its limits', async () => {
    const sluice = await start();
    const hash = createHash('sha256').update(configText()).digest('hex').slice(0, 16);
    const [first] = sluice.lines;
    expect(first).toMatchObject({
      msg: 'starting',
      config: sluice.configFile,
      hash,
      pid: sluice.pid,
      node: expect.stringMatching(/^v\d+\./),
      version: expect.stringMatching(/^\d+\./),
      driver: expect.any(String),
      why: expect.any(String),
      workers: 1,
      limits: { bufferBytes: expect.any(Number) },
    });
    if (process.platform === 'linux')
      expect(first).toMatchObject({ limits: { descriptors: expect.any(Number) } });
    if (nodeBinary === process.execPath) expect(first?.['node']).toBe(process.version);
  });
});

describe('what keeps sluice from starting', () => {
  const fatal = ({ lines }: Sluice) => lines.filter(({ level }) => level === 'fatal');

  it('is in the log too, each mistake of the file with its place', async () => {
    const refused = await ended(`${configText().slice(0, -1)},"nonsense":1,"log":{"level":"loud"}}`);
    expect(await refused.ended).toBe(2);
    expect(fatal(refused)).toMatchObject([
      { msg: 'configuration not loaded', path: 'nonsense', line: 1, message: expect.any(String) },
      { msg: 'configuration not loaded', path: 'log.level', line: 1, message: expect.any(String) },
    ]);
    expect(refused.stderr).toContain('nonsense');
  });

  it('is its last line where a port is taken', async () => {
    const [, port] = backend.address.split(':');
    const refused = await ended(configText({ more: { admin: { bind: `127.0.0.1:${port}` } } }));
    expect(await refused.ended).toBe(1);
    expect(refused.lines.at(-1)).toMatchObject({ level: 'fatal', msg: 'not started' });
    expect(refused.lines.at(-1)?.['message']).toContain(`127.0.0.1:${port}`);
    expect(refused.stderr).toBe(`sluice: ${refused.lines.at(-1)?.['message']}\n`);
  });

  it('warns there too of what is doubtful in the file, at the start and at a reload', async () => {
    const doubtful = { more: { 'x-unused': 1, pools: doubtfulPools } };
    const sluice = await start(doubtful);
    const warnings = () => sluice.lines.filter(({ msg }) => msg === 'configuration warning');
    expect(warnings()).toMatchObject([{ level: 'warn', path: expect.stringContaining('tls.verify') }]);
    await reload(sluice, doubtful);
    expect(warnings()).toHaveLength(2);
  });
});

describe('a reload', () => {
  it('says who asked for it, and what has come, gone and changed', async () => {
    const sluice = await start();
    const { line, answer } = await reload(sluice, {
      listeners: ['api'],
      more: { shutdown: { grace: '1m' } },
    });
    const changes = {
      added: { listeners: ['api'] },
      removed: { listeners: ['web'] },
      changed: { settings: ['shutdown'] },
    };
    expect(line).toMatchObject({ level: 'info', trigger: 'admin API', ...changes });
    expect(line['hash']).not.toBe(sluice.lines[0]?.['hash']);
    expect(answer).toEqual({ reloaded: true, ...changes, pendingRestart: [] });
    const bind = [`127.0.0.1:${sluice.port('web')}`];
    const after = sluice.lines.slice(sluice.lines.findIndex(({ msg }) => msg === 'serving'));
    expect(after.find(({ msg }) => msg === 'closed')).toMatchObject({ listener: 'web', bind });
    expect(after.find(({ msg }) => msg === 'listening')).toMatchObject({ listener: 'api' });
  });

  it('that changes nothing says no more than that it was one', async () => {
    const sluice = await start();
    sluice.signal('SIGHUP');
    const line = await sluice.logged(({ msg }) => msg === 'configuration reloaded');
    expect(Object.keys(line)).toEqual(['level', 'time', 'trigger', 'hash', 'msg']);
    expect(line).toMatchObject({ trigger: 'SIGHUP', hash: sluice.lines[0]?.['hash'] });
  });

  it('says what takes a restart for as long as it is not what runs', async () => {
    const sluice = await start();
    const pending = async () => ((await sluice.status()) as { pendingRestart?: unknown }).pendingRestart;
    expect(await pending()).toEqual([]);
    const wanted = { more: { memory: { buffers: '16MiB' } } };
    for (let times = 1; times <= 2; times++) {
      expect((await reload(sluice, wanted)).answer).toMatchObject({ pendingRestart: ['memory'] });
      expect(await pending()).toEqual(['memory']);
      const warnings = sluice.lines.filter(({ msg }) => msg === 'some changes take a restart');
      expect(warnings).toMatchObject(Array(times).fill({ level: 'warn', pendingRestart: ['memory'] }));
    }
    expect((await reload(sluice, {})).answer).toMatchObject({ pendingRestart: [] });
    expect(await pending()).toEqual([]);
  });

  it('keeps a listener that it removed in status and metrics until its last session has ended', async () => {
    const sluice = await start({ listeners: ['web', 'old'] });
    const client = await openClient(sluice, 'old');
    await reload(sluice, {});
    const active = 'sluice_listener_connections_active{listener="old"}';
    expect(await sluice.metric(active)).toBe(1);
    expect((await sluice.status()).listeners['old']).toMatchObject({ bind: [], active: 1, total: 1 });
    client.end();
    await ending(client);
    await eventually(async () => expect(Object.keys((await sluice.status()).listeners)).toEqual(['web']));
    expect(
      [...(await sluice.metrics()).keys()].filter((series) => series.includes('listener="old"')),
    ).toEqual([]);
  });

  it('gives a listener that comes back what it had counted', async () => {
    const sluice = await start({ listeners: ['web', 'old'] });
    const client = await openClient(sluice, 'old');
    await reload(sluice, {});
    await reload(sluice, { listeners: ['web', 'old'] });
    expect((await sluice.status()).listeners['old']).toMatchObject({ active: 1, total: 1 });
    client.destroy();
  });
});

describe('all lines', () => {
  it('come in the order of their times, whichever thread has written them', async () => {
    const sluice = await start({ more: { workers: 2, log: { level: 'debug' } } });
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(Array.from({ length: 5 }, () => openClient(sluice)));
      for (const client of clients) client.destroy();
      sluice.signal('SIGUSR2');
    }
    await eventually(() => expect(sluice.sessions).toHaveLength(100));
    sluice.signal('SIGTERM');
    expect(await sluice.ended).toBe(0);
    const times = sluice.lines.map((line) => String(line['time']));
    expect(sluice.lines.filter(({ msg }) => msg === 'signal without a meaning').length).toBeGreaterThan(1);
    expect(times).toEqual(times.toSorted());
  });
});

describe('the last line', () => {
  it('is written with all before it when an error kills the process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const preload = join(folder, 'preload.cjs');
    writeFileSync(preload, "process.on('SIGWINCH', () => { throw new Error('a bug'); });");
    const sluice = await Sluice.run(configText(), [], ['env', `NODE_OPTIONS=--require=${preload}`]);
    running = sluice;
    sluice.signal('SIGWINCH');
    expect(await sluice.ended).not.toBe(0);
    expect(sluice.lines.at(-1)).toMatchObject({
      level: 'fatal',
      msg: 'died of an error',
      err: { message: 'a bug' },
    });
  });

  it('counts what was served, after all other lines', async () => {
    const sluice = await start();
    const client = await openClient(sluice);
    sluice.signal('SIGTERM');
    await sluice.logged(({ msg }) => msg === 'closed');
    client.end();
    await ending(client);
    expect(await sluice.ended).toBe(0);
    expect(sluice.lines.find(({ msg }) => msg === 'draining')).toMatchObject({ trigger: 'SIGTERM' });
    expect(sluice.lines.at(-1)).toMatchObject({
      msg: 'stopped',
      level: 'info',
      forced: false,
      sessions: 1,
      cut: 0,
      bytesToBackend: 4,
      bytesToClient: 4,
      uptimeMs: expect.any(Number),
    });
  });

  it('says that a second signal has cut what was open', async () => {
    const sluice = await start();
    const client = await openClient(sluice);
    sluice.signal('SIGTERM');
    await sluice.logged(({ msg }) => msg === 'draining');
    sluice.signal('SIGINT');
    await ending(client);
    expect(await sluice.ended).toBe(0);
    expect(sluice.lines.find(({ msg }) => msg === 'stopping at once')).toMatchObject({
      level: 'warn',
      trigger: 'SIGINT',
    });
    expect(sluice.lines.at(-1)).toMatchObject({ msg: 'stopped', forced: true, sessions: 1, cut: 1 });
  });
});
