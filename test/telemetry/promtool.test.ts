/** What Prometheus' own linter says of the metrics. */
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { installed, run, skippedWithout } from '../support/programs.ts';
import { FakeSource } from './fake-source.ts';

describe.skipIf(!installed('promtool'))(`promtool ${skippedWithout('promtool')}`, () => {
  it('finds nothing to say of the metrics', async () => {
    const input = await new Metrics(new FakeSource()).text();
    expect(await run('promtool', ['check', 'metrics'], { input })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});
