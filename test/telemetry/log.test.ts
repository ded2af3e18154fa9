import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LineWriter } from '../../src/telemetry/line-writer.ts';
import { createLog } from '../../src/telemetry/log.ts';

let folder: string;
const descriptors: number[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
});

afterEach(() => {
  for (const fd of descriptors.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** A descriptor of ours that is closed after the test. */
function open(path: string, flags: string | number): number {
  const fd = openSync(path, flags);
  descriptors.push(fd);
  return fd;
}

/** A pipe whose two ends don't block. */
function pipe(): { readEnd: number; writeEnd: number } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const readEnd = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { readEnd, writeEnd: open(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

function readAll(fd: number): string {
  const chunk = Buffer.alloc(65_536);
  let text = '';
  for (;;) {
    try {
      const bytes = readSync(fd, chunk);
      if (bytes === 0) return text;
      text += chunk.toString('utf8', 0, bytes);
    } catch {
      return text;
    }
  }
}

describe('createLog', () => {
  test('writes the same JSON for its own lines and for those of workers, in order', async () => {
    const path = join(folder, 'log');
    const log = createLog({ level: 'info', fd: open(path, 'w') });
    log.logger.info({ pool: 'app' }, 'first');
    const time = new Date().toISOString();
    log.writeLines(`{"time":"${time}","msg":"second"}\n{"time":"${time}","msg":"third"}\n`);
    log.logger.debug('not this one');
    log.setLevel('debug');
    log.logger.debug('fourth');
    await log.flush();
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ msg }) => msg)).toEqual(['first', 'second', 'third', 'fourth']);
    expect(Object.keys(lines[0])).toEqual(['level', 'time', 'pool', 'msg']);
    expect(lines[0].level).toBe('info');
  });

  test("is pretty where it is not JSON, for the workers' lines too", async () => {
    const path = join(folder, 'log');
    const log = createLog({ level: 'info', json: false, fd: open(path, 'w') });
    log.logger.info('ours');
    const time = new Date().toISOString();
    log.writeLines(`{"level":"warn","time":"${time}","listener":"web","msg":"theirs"}\n`);
    await log.flush();
    const at = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
    expect(readFileSync(path, 'utf8')).toMatch(
      new RegExp(`^${at} INFO  ours\n${at} WARN  theirs listener=web\n$`),
    );
    expect(log.isJson).toBe(false);
  });

  test('writes a fatal line, and what came before it, before the process can die of it', () => {
    const path = join(folder, 'log');
    const log = createLog({ level: 'info', fd: open(path, 'w') });
    const messages = ['x'.repeat(3_000_000), 'last', 'words'];
    for (const message of messages) log.logger.info(message);
    log.logger.fatal('broken');
    const written = [...readFileSync(path, 'utf8').matchAll(/"msg":"(.*)"/g)].map(([, message]) => message);
    expect(written.map((message) => message?.slice(0, 9))).toEqual(['xxxxxxxxx', 'last', 'words', 'broken']);
  });

  test('drops what a stalled reader does not take, and says how much once it reads again', async () => {
    const { readEnd, writeEnd } = pipe();
    const log = createLog({ level: 'info', fd: writeEnd, maxWaiting: 1_000_000 });
    const line = `${JSON.stringify({ msg: 'x'.repeat(990) })}\n`;
    for (let n = 0; n < 3_000; n++) log.writeLines(line);
    let read = '';
    await vi.waitFor(
      () => {
        read += readAll(readEnd);
        expect(read).toContain('log lines dropped');
      },
      { timeout: 10_000, interval: 5 },
    );
    const lines = read
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { dropped } = lines.at(-1);
    expect(lines.length - 1 + dropped).toBe(3_000);
    expect(log.linesDropped).toBe(dropped);
    expect(lines.length).toBeLessThanOrEqual(1_001);
  });

  describe('with a file', () => {
    const messages = (path: string): string[] =>
      [...readFileSync(path, 'utf8').matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => `${message}`);

    test('adds to it in JSON, and lets nobody else read it', async () => {
      const file = join(folder, 'file');
      writeFileSync(file, '{"msg":"before"}\n', { mode: 0o600 });
      const log = createLog({ level: 'info', json: false, file });
      log.logger.info('first');
      await log.flush();
      expect(messages(file)).toEqual(['before', 'first']);
      expect(log.isJson).toBe(true);
      const fresh = join(folder, 'fresh');
      createLog({ level: 'info', file: fresh });
      expect(statSync(fresh).mode & 0o007).toBe(0);
    });

    test('opens it again where it was renamed, and loses no line', async () => {
      const file = join(folder, 'file');
      const log = createLog({ level: 'info', file });
      log.logger.info('first');
      await log.flush();
      renameSync(file, `${file}.1`);
      log.logger.info('between');
      expect(log.reopen()).toBe(true);
      log.logger.info('last');
      await log.flush();
      expect([...messages(`${file}.1`), ...messages(file)].toSorted()).toEqual(
        ['between', 'first', 'last', 'log file reopened'].toSorted(),
      );
      expect(messages(file)).toContain('last');
    });

    test('goes on with the one it has where it can not be opened again', async () => {
      const file = join(folder, 'sub', 'file');
      mkdirSync(join(folder, 'sub'));
      const log = createLog({ level: 'info', file });
      renameSync(join(folder, 'sub'), join(folder, 'moved'));
      expect(log.reopen()).toBe(true);
      log.logger.info('still here');
      await log.flush();
      const [complaint, ...rest] = messages(join(folder, 'moved', 'file'));
      expect(complaint).toMatch(/^log file not reopened/);
      expect(rest).toEqual(['still here']);
    });

    test('moves to another, and stays where that can not be opened or is not wanted after all', async () => {
      const [one, other] = [join(folder, 'one'), join(folder, 'other')];
      const log = createLog({ level: 'info', file: one });
      expect(() => log.move(join(folder, 'none', 'file'))).toThrow(
        /^Cannot write the log to .*none.file: no such file or directory \(ENOENT\)$/,
      );
      log.move(other).abandon();
      log.logger.info('first');
      await log.flush();
      log.move(other).commit();
      log.logger.info('second');
      await log.flush();
      expect(messages(one)).toEqual(['first']);
      expect(messages(other)).toEqual(['log moved', 'second']);
    });

    test('has nothing to open again without one', () => {
      expect(createLog({ level: 'info', fd: open(join(folder, 'log'), 'w') }).reopen()).toBe(false);
    });
  });

  test('goes on without a reader', async () => {
    const { readEnd, writeEnd } = pipe();
    descriptors.splice(descriptors.indexOf(readEnd), 1);
    closeSync(readEnd);
    const log = createLog({ level: 'info', fd: writeEnd });
    log.logger.info('nobody reads this');
    await log.flush();
    log.writeLines('{}\n');
    log.logger.fatal('nor this');
    await log.flush();
  });

  test('flushes for as long as its reader takes something, however slow it is', async () => {
    const { readEnd, writeEnd } = pipe();
    const log = createLog({ level: 'info', fd: writeEnd });
    const line = `${JSON.stringify({ msg: 'x'.repeat(990) })}\n`;
    for (let n = 0; n < 3_000; n++) log.writeLines(line);
    let read = '';
    const slowly = setInterval(() => {
      read += readAll(readEnd);
    }, 50);
    await log.flush();
    clearInterval(slowly);
    read += readAll(readEnd);
    expect(read.length).toBe(3_000 * line.length);
  });

  test('flushes for a bounded time', async () => {
    const { writeEnd } = pipe();
    const writer = new LineWriter(writeEnd, 1_000_000, () => expect.unreachable());
    writer.write(`${'x'.repeat(200_000)}\n`);
    await writer.flush(20);
  });

  test('does not say that it can not write, where it can not', async () => {
    let told = 0;
    const writer = new LineWriter(
      open(join(folder, 'log'), constants.O_CREAT | constants.O_RDONLY),
      100,
      () => {
        // What the log does: one line more, which is lost like the others.
        if (told++ < 10) writer.write('lines dropped\n');
      },
    );
    writer.write('lost\n');
    await writer.flush(5_000);
    await writer.flush(5_000);
    expect(told).toBe(0);
  });
});
