/** A Prometheus that runs with the configuration and the rules of `monitoring/`, only faster. */
import { readFileSync } from 'node:fs';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { root } from '../../support/pages.ts';
import { Peer } from './peer.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

export class Prometheus {
  readonly #peer: Peer;
  readonly #url: string;

  /** Asks these ports for metrics every second, with this token; what fires after minutes fires after `patience`. */
  static async start(ports: readonly number[], token: string, patience?: string): Promise<Prometheus> {
    const peer = new Peer();
    const configFile = peer.file('prometheus.yaml', sooner(readFileSync(`${folder}prometheus.yaml`, 'utf8')));
    const alerts = readFileSync(`${folder}alerts.yaml`, 'utf8');
    peer.file(
      'alerts.yaml',
      patience === undefined ? alerts : alerts.replaceAll(/\bfor: \d+m\b/g, `for: ${patience}`),
    );
    peer.file('sluice.token', `${token}\n`);
    peer.file('targets.yaml', JSON.stringify([{ targets: ports.map((port) => `127.0.0.1:${port}`) }]));
    await peer.prepare('promtool', ['check', 'config', configFile]);
    const [port = 0] = await freePorts(1);
    const where = [`--web.listen-address=127.0.0.1:${port}`, `--storage.tsdb.path=${peer.path('data')}`];
    await peer.start('prometheus', [`--config.file=${configFile}`, ...where], [port]);
    return new Prometheus(peer, `http://127.0.0.1:${port}`);
  }

  private constructor(peer: Peer, url: string) {
    this.#peer = peer;
    this.#url = url;
  }

  /** The samples that an expression has now; one that it can't evaluate is an error. */
  async query(expr: string): Promise<readonly Sample[]> {
    const { result } = await this.#ask<{
      result: readonly { metric: Sample['metric']; value: readonly [number, string] }[];
    }>('query', { query: expr });
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  /** The values of a label over the series that match. */
  labelValues(label: string, series: string): Promise<readonly string[]> {
    return this.#ask(`label/${label}/values`, { 'match[]': series });
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.#ask<{ groups: readonly { rules: readonly Rule[] }[] }>('rules', {});
    return groups.flatMap(({ rules }) => rules);
  }

  stop(): Promise<void> {
    return this.#peer.stop();
  }

  async #ask<T>(path: string, query: Readonly<Record<string, string>>): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(query)}`);
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: T }; // As its API is documented.
    if (status !== 'success') throw new Error(`${error} in ${JSON.stringify(query)}`);
    return data;
  }
}

const folder = `${root}monitoring/`;

function sooner(config: string): string {
  return config.replaceAll(/(?<=(?:scrape|evaluation)_interval: )\w+/g, '1s');
}
