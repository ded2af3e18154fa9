import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type TestBackend } from '../../support/backends.ts';
import { installed, run } from '../../support/programs.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { type Example, runExample } from './example.ts';
import { web } from './web.ts';

describe.skipIf(!installed('curl'))('config/access.yaml (skipped where curl is not installed)', () => {
  const afterwards = suiteEnds();
  let backends: readonly TestBackend[] = [];
  let example: Example;

  beforeAll(async () => {
    backends = await Promise.all(['first', 'second'].map((name) => startBackend(web(name))));
    for (const backend of backends) afterwards(backend.close);
    const [first, second] = backends;
    example = await runExample('access', { 9001: first?.port ?? 0, 9002: second?.port ?? 0 });
    afterwards(example.end);
  });

  const ask = (...more: readonly string[]) =>
    run('curl', ['-sS', ...more, `http://127.0.0.1:${example.port}`]);

  it('answers clients of this machine', async () => {
    expect(await ask()).toMatchObject({ code: 0, stdout: 'first\n' });
  });

  it('resets the one that is denied', async () => {
    const { code } = await ask('--interface', '127.0.0.66');
    // What curl says of a reset: it could not connect, or got nothing.
    expect([7, 56]).toContain(code);
    await example.sluice.logged((line) => line['reason'] === 'denied');
  });
});
