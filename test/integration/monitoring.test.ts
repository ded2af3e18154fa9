/**
 * `monitoring/` in a real Prometheus that scrapes a running sluice: every panel shows something, and every rule works.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rules } from '../support/alert-rules.ts';
import { connected, echo, ending, nextText, startBackend, type TestBackend } from '../support/backends.ts';
import { asked, dashboards, queriedPanels } from '../support/dashboards.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';
import { installed, skippedWithout } from '../support/programs.ts';
import { Sluice } from '../support/sluice.ts';
import { certificateFiles } from './certificate-files.ts';
import { Prometheus, type Sample } from './peers/prometheus.ts';

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
    const { cert, key } = certificateFiles('secure.test');
    const secure = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, echo);
    const dns = startDnsServer({ 'secure.test': [{ type: 'A', address: '127.0.0.1' }] });
    afterAll(async () => {
      secure.close();
      await (await dns).close();
    });

    beforeAll(async () => {
      const [good, gone, full] = [await backend(), await backend(), await backend()];
      await once(secure.listen(0, '127.0.0.1'), 'listening');
      const securePort = (secure.address() as AddressInfo).port; // A TCP server has one.
      await gone.close();
      const proxy = await sluice({
        listeners: {
          web: { bind: '127.0.0.1:0', pool: 'app' },
          narrow: { bind: '127.0.0.1:0', pool: 'narrow' },
          secure: { bind: '127.0.0.1:0', pool: 'secure', tls: { certificates: [{ cert, key }] } },
        },
        pools: {
          app: { backends: [good.address, gone.address], healthCheck: { type: 'tcp', interval: '1s' } },
          narrow: {
            backends: [{ address: full.address, maxConnections: 1 }],
            limits: { queue: { size: 9, timeout: '1m' } },
          },
          secure: {
            backends: [`secure.test:${securePort}`],
            connect: { tls: { ca: cert, cert, key } },
            healthCheck: { type: 'tls', interval: '1s' },
          },
        },
        admin,
        resolver: { servers: [(await dns).address] },
      });
      prometheus = await Prometheus.start([proxy.adminPort], token);
      await seen(prometheus, 'up == 1', 1);
      await traffic(proxy);
    }, 180_000);

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

    it.each(rules.map((rule) => ['alert' in rule ? rule.alert : rule.record, rule.expr] as const))(
      '%s asks for series that there are',
      async (_, expr) => {
        const selectors = expr.match(/\bsluice[_:][\w:]+(?:\{[^}]*\})?|\bup\{[^}]*\}/g) ?? [];
        expect(selectors).not.toEqual([]);
        for (const selector of selectors) {
          await eventually(async () => expect(await prometheus.query(selector), selector).not.toEqual([]));
        }
      },
    );

    it('evaluates every rule', async () => {
      await eventually(async () => {
        const evaluated = await prometheus.rules();
        expect(evaluated.map(({ health, lastError }) => lastError ?? health)).toEqual(rules.map(() => 'ok'));
      });
    });
  });

  it('fires for what goes by itself, and for nothing that is drained', async () => {
    const [drained, broken, good] = [await backend(), await backend(), await backend()];
    const config = {
      listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
      pools: {
        app: {
          backends: [drained.address, broken.address, good.address],
          healthCheck: { type: 'tcp', interval: '1s' },
        },
      },
      admin,
      shutdown: { grace: '1h' },
    };
    const stops = await sluice(config);
    const dies = await sluice(config);
    const stays = await sluice(config);
    const client = await connected(stops.port('web'));
    const processes = [stops, dies, stays];
    const impatient = await Prometheus.start(
      processes.map(({ adminPort }) => adminPort),
      token,
      '5s',
    );
    try {
      await seen(impatient, 'up == 1', 3);
      stops.signal('SIGTERM');
      // Impatient as the rules are here, it drains for too long at once.
      await eventually(async () => expect(await firing(impatient)).toEqual(['SluiceDrainStuck']), deadlineMs);
      client.resetAndDestroy();
      expect(await stops.ended).toBe(0);
      for (const one of [dies, stays]) await drain(one, drained);
      await seen(impatient, 'sluice_backend_weight == 0', 2);
      await drained.close();
      await seen(impatient, 'sluice_backend_up == 0', 2);
      await seen(impatient, 'up == 0', 1);
      // All of the above came first, and is silent still when this fires.
      dies.signal('SIGKILL');
      await broken.close();
      await eventually(async () => {
        expect((await firing(impatient)).toSorted()).toEqual(['SluiceBackendDown', 'SluiceDown']);
      }, deadlineMs);
      const ever = await impatient.query('max_over_time(ALERTS{alertstate="firing"}[10m])');
      expect(ever.map(({ metric }) => culprit(metric)).toSorted()).toEqual([
        `SluiceBackendDown ${broken.address}`,
        `SluiceDown 127.0.0.1:${dies.adminPort}`,
        `SluiceDrainStuck 127.0.0.1:${stops.adminPort}`,
      ]);
    } finally {
      await impatient.stop();
    }
  }, 180_000);
});

const token = 'may-look';
const operator = 'may-operate';
const admin = { bind: '127.0.0.1:0', token: operator, tokens: [{ name: 'prometheus', token }] };
const deadlineMs = 60_000;

/** Waits until an expression has so many samples. */
async function seen(prometheus: Prometheus, expr: string, samples: number): Promise<void> {
  await eventually(async () => expect(await prometheus.query(expr)).toHaveLength(samples), deadlineMs);
}

async function drain(sluice: Sluice, { address }: TestBackend): Promise<void> {
  const path = `pools/app/backends/${address}`;
  const asOperator = { authorization: `Bearer ${operator}` };
  const { code, body } = await sluice.api(`PATCH ${path}`, { state: 'drain' }, asOperator);
  expect(code, JSON.stringify(body)).toBe(200);
}

function culprit({ alertname, backend, instance }: Sample['metric']): string {
  return `${alertname} ${backend ?? instance}`;
}

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
