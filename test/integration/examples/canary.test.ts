import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type TestBackend } from '../../support/backends.ts';
import { installed, output } from '../../support/programs.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { type Example, runExample } from './example.ts';
import { web } from './web.ts';

describe.skipIf(!installed('curl'))('config/canary.yaml (skipped where curl is not installed)', () => {
  const afterwards = suiteEnds();
  let backends: readonly TestBackend[] = [];
  let example: Example;

  beforeAll(async () => {
    backends = await Promise.all(['blue', 'green'].map((name) => startBackend(web(name))));
    for (const backend of backends) afterwards(backend.close);
    const [blue, green] = backends;
    example = await runExample('canary', { 9001: blue?.port ?? 0, 9002: green?.port ?? 0 });
    afterwards(example.end);
  });

  async function answers(count: number, ...more: readonly string[]): Promise<readonly string[]> {
    const said = await output('curl', ['-s', ...more, `http://127.0.0.1:${example.port}/[1-${count}]`]);
    return said.split('\n');
  }

  it('gives the new version one connection of a hundred, exactly', async () => {
    const said = await answers(200);
    expect(said).toHaveLength(200);
    expect(said.filter((name) => name === 'green')).toHaveLength(2);
  });

  it('gives it to testers always, without taking from the others’ turns', async () => {
    expect(new Set(await answers(20, '-H', 'Host: canary.example.com'))).toEqual(new Set(['green']));
    const said = await answers(100);
    expect(said.filter((name) => name === 'green')).toHaveLength(1);
  });
});
