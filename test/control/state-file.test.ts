import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Hold, Override } from '../../src/control/overrides.ts';
import { StateFile } from '../../src/control/state-file.ts';

const override: Override = {
  ...{ pool: 'app', backend: '10.0.0.1:9000', field: 'state', value: 'drain', configured: 'ready' },
  ...{ sinceMs: 1_000, untilMs: 2_000, by: 'ci', reason: 'deploy' },
};

const hold: Override = {
  ...{ pool: 'app', field: 'hold', configured: 'off' },
  value: { then: 'refuse', sessions: 'drain', timeoutMs: 30_000 } satisfies Hold,
  ...{ sinceMs: 1_000, untilMs: 2_000, by: 'ci', reason: 'deploy' },
};

const paused: Override = {
  ...{ listener: 'web', field: 'accept', value: 'paused', configured: 'on' },
  ...{ sinceMs: 1_000, untilMs: undefined, by: 'ci', reason: undefined },
};

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

describe('StateFile', () => {
  it('gives back what was written, from a folder that it makes', async () => {
    const path = join(folder(), 'deep', 'state.json');
    expect(new StateFile(path).read()).toEqual([]);
    await new StateFile(path).write([override, hold, paused]);
    expect(new StateFile(path).read()).toEqual([override, hold, paused]);
    expect(readdirSync(join(path, '..'))).toEqual(['state.json']);
  });

  it('has in the end what was written last, however fast it comes', async () => {
    const file = new StateFile(join(folder(), 'state.json'));
    const writes = Array.from({ length: 20 }, (_, index) => file.write([{ ...override, sinceMs: index }]));
    await Promise.all(writes);
    expect(file.read()).toMatchObject([{ sinceMs: 19 }]);
  });

  it('keeps what a later version wrote beside', async () => {
    const path = join(folder(), 'state.json');
    writeFileSync(path, JSON.stringify({ version: 9, overrides: [override], holds: ['app'] }));
    const file = new StateFile(path);
    await file.write(file.read());
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ holds: ['app'], overrides: [override] });
  });

  it('puts a file aside that it can not read, before it writes another', async () => {
    const path = join(folder(), 'state.json');
    writeFileSync(path, '{"version":2,"overrides":[{"field":"colour"}]}');
    const file = new StateFile(path);
    expect(() => file.read()).toThrow();
    await Promise.all([file.write([]), file.write([override])]);
    expect(new StateFile(path).read()).toEqual([override]);
    expect(readFileSync(`${path}.broken`, 'utf8')).toContain('colour');
  });

  it.each([
    '',
    '{',
    '[]',
    'null',
    '{"overrides": 1}',
    JSON.stringify({ overrides: [{ ...override, field: 'color' }] }),
    JSON.stringify({ overrides: [{ ...override, value: 'asleep' }] }),
    JSON.stringify({ overrides: [{ ...override, sinceMs: 'now' }] }),
    JSON.stringify({ overrides: [{ ...override, backend: undefined }] }),
    JSON.stringify({ overrides: [{ ...hold, backend: 'a' }] }),
    JSON.stringify({ overrides: [{ ...paused, pool: 'a' }] }),
    JSON.stringify({ overrides: [{ ...paused, value: 'maybe' }] }),
    JSON.stringify({ overrides: [{ ...hold, value: { then: 'resume' } }] }),
    JSON.stringify({ overrides: [{ ...hold, untilMs: undefined }] }),
  ])('says of %j that it is not what it wrote', (text) => {
    const path = join(folder(), 'state.json');
    writeFileSync(path, text);
    expect(() => new StateFile(path).read()).toThrow();
  });
});
