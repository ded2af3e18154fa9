/** `monitoring/` in a real Prometheus that scrapes a running sluice: every panel shows something, and every rule works. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alerts, rules } from '../support/alert-rules.ts';
import { connected, echo, ending, nextText, startBackend, type TestBackend } from '../support/backends.ts';
import { asked, dashboards, queriedPanels } from '../support/dashboards.ts';
import { eventually } from '../support/eventually.ts';
import { installed, skippedWithout } from '../support/programs.ts';
import { Sluice } from '../support/sluice.ts';
import { Prometheus } from './peers/prometheus.ts';

const token = 'secret';
const deadlineMs = 60_000;

describe.skipIf(!installed('prometheus', 'promtool'))(`Prometheus ${skippedWithout('prometheus')}`, () => {
  const backends: TestBackend[] = [];
  const running: Sluice[] = [];
  let prometheus: Prometheus;

  async function backend(): Promise<TestBackend> {
    const started = await startBackend(echo);
    backends.push(started);
    return started;
  }

  async function sluice(config: object): Promise<Sluice> {
    const started = await Sluice.run(JSON.stringify({ version: 1, workers: 2, ...config }));
    running.push(started);
    return started;
  }

  afterAll(async () => {
    await prometheus?.stop();
    await Promise.all(running.splice(0).map((one) => one.stop()));
    await Promise.all(backends.splice(0).map((one) => one.close()));
  });

  describe('after some traffic', () => {
    beforeAll(async () => {
      const [good, gone, full] = [await backend(), await backend(), await backend()];
      await gone.close();
      const proxy = await sluice({
        listeners: {
          web: { bind: '127.0.0.1:0', pool: 'app' },
          narrow: { bind: '127.0.0.1:0', pool: 'narrow' },
        },
        pools: {
          app: { backends: [good.address, gone.address], healthCheck: { type: 'tcp', interval: '1s' } },
          narrow: {
            backends: [{ address: full.address, maxConnections: 1 }],
            limits: { queue: { size: 9, timeout: '1m' } },
          },
        },
        admin: { bind: '127.0.0.1:0', token },
      });
      prometheus = await Prometheus.start([proxy.adminPort], token);
      await eventually(async () => expect(await prometheus.query('up == 1')).toHaveLength(1), deadlineMs);
      await traffic(proxy);
    }, deadlineMs);

    it.each(
      dashboards.flatMap((dashboard) =>
        queriedPanels(dashboard).map((panel) => [dashboard.title, panel.title, panel] as const),
      ),
    )('%s shows: %s', async (_, __, { targets = [] }) => {
      for (const { expr } of targets) {
        await eventually(async () => {
          const samples = await prometheus.query(asked(expr, '10m'));
          expect(
            samples.some(({ value }) => Number.isFinite(value)),
            expr,
          ).toBe(true);
        });
      }
    });

    it.each(dashboards)('$title offers choices', async ({ templating, annotations }) => {
      for (const { name, definition = '' } of templating.list.filter(({ type }) => type === 'query')) {
        const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
        expect(label).toBe(name);
        expect(await prometheus.labelValues(label, asked(series, '10m'))).not.toEqual([]);
      }
      for (const { expr } of annotations.list) await prometheus.query(asked(expr, '10m'));
    });

    it.each(alerts)('$alert asks for series that there are', async ({ expr }) => {
      const selectors = expr.match(/\b(?:sluice|process)_\w+(?:\{[^}]*\})?|\bup\{[^}]*\}/g) ?? [];
      expect(selectors.length + Number(expr.includes('sluice:'))).toBeGreaterThan(0);
      for (const selector of selectors) expect(await prometheus.query(selector), selector).not.toEqual([]);
    });

    it('evaluates every rule', async () => {
      await eventually(async () => {
        const evaluated = await prometheus.rules();
        expect(evaluated.map(({ health, lastError }) => lastError ?? health)).toEqual(rules.map(() => 'ok'));
      });
    });
  });

  it('fires nothing for a process that drains, and SluiceDown for one that dies', async () => {
    const { address } = await backend();
    const config = {
      listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
      pools: { app: { backends: [address], healthCheck: { type: 'tcp', interval: '1s' } } },
      admin: { bind: '127.0.0.1:0', token },
      shutdown: { grace: '1h' },
    };
    const [drains, dies] = [await sluice(config), await sluice(config)];
    const client = await connected(drains.port('web'));
    const dying = `127.0.0.1:${dies.adminPort}`;
    const impatient = await Prometheus.start([drains.adminPort, dies.adminPort], token, '5s');
    try {
      await eventually(async () => expect(await impatient.query('up == 1')).toHaveLength(2), deadlineMs);
      drains.signal('SIGTERM');
      // Impatient as the rules are here, it has drained for too long at once.
      await eventually(async () => expect(await firing(impatient)).toEqual(['SluiceDrainStuck']), deadlineMs);
      client.resetAndDestroy();
      expect(await drains.ended).toBe(0);
      await eventually(async () => expect(await impatient.query('up == 0')).toHaveLength(1), deadlineMs);
      dies.signal('SIGKILL');
      await eventually(async () => expect(await firing(impatient)).toEqual(['SluiceDown']), deadlineMs);
      const everFired = await impatient.query('max_over_time(ALERTS{alertstate="firing"}[10m])');
      expect(
        everFired.map(({ metric }) => `${metric['alertname']} ${metric['instance']}`).toSorted(),
      ).toEqual([`SluiceDown ${dying}`, `SluiceDrainStuck 127.0.0.1:${drains.adminPort}`]);
    } finally {
      await impatient.stop();
    }
  }, 180_000);
});

/** The names of the alerts that fire now. */
async function firing(prometheus: Prometheus): Promise<readonly string[]> {
  const samples = await prometheus.query('ALERTS{alertstate="firing"}');
  return samples.map(({ metric }) => metric['alertname'] ?? '');
}

/** Clients that are served, some of which stay, and some that have to wait for the one before them. */
async function traffic(proxy: Sluice): Promise<void> {
  for (let count = 0; count < 20; count++) {
    const client = await connected(proxy.port('web'));
    client.write('ping');
    expect(await nextText(client)).toBe('ping');
    if (count % 4 === 0) continue;
    client.end();
    await ending(client);
  }
  for (let count = 0; count < 3; count++) (await connected(proxy.port('narrow'))).end('done');
}
