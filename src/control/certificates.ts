/** The certificates that the proxy shows, and those that backends have shown: for people, and for a watch over them. */
import type { Logger } from 'pino';
import { type OwnCertificate, ownCertificates } from '../config/certificates.ts';
import type { Config } from '../config/config.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { BackendPlan, BackendTls, Plan, PoolPlan } from '../core/plan.ts';
import { tlsNameOf } from '../core/stages/dialing.ts';
import type { Events } from '../telemetry/events.ts';
import type { ShownCertificate } from '../telemetry/snapshot.ts';
import { CertificateWatch, type WatchedCertificate } from './certificate-watch.ts';

export class Certificates {
  #own: readonly OwnCertificate[] = [];
  readonly #ledger: Ledger;
  readonly #watch: CertificateWatch;
  readonly #events: Pick<Events, 'publish'>;
  #config: Config | undefined;
  #plan: Plan = { listeners: [], pools: [] };
  /** The TLS of a pool's checks, by pool. */
  #checkTls: ReadonlyMap<string, BackendTls> = new Map();

  constructor(ledger: Ledger, logger: Logger, events: Pick<Events, 'publish'>) {
    this.#ledger = ledger;
    this.#events = events;
    this.#watch = new CertificateWatch(() => this.#watched(), logger, events);
  }

  follow(config: Config, plan: Plan): void {
    this.#plan = plan;
    if (config === this.#config) return;
    this.#config = config;
    const own = ownCertificates(config);
    this.#tellNew(this.#own, own);
    this.#own = own;
    this.#checkTls = checkTlsOf(config);
    this.#watch.look();
  }

  close(): void {
    this.#watch.close();
  }

  /** Those that the configuration has the proxy show. */
  get own(): readonly OwnCertificate[] {
    return this.#own;
  }

  /** The last that a backend has shown, in a session or a check, under the name that it must be for. */
  shownBy({ name, policy: { connect } }: PoolPlan, backend: BackendPlan): ShownCertificate | undefined {
    const tls = connect.tls === 'off' ? this.#checkTls.get(name) : connect.tls;
    const notAfterMs = this.#ledger.certificateNotAfterMs[backend.slot] ?? 0;
    return tls === undefined || notAfterMs === 0 ? undefined : { name: tlsNameOf(backend, tls), notAfterMs };
  }

  /** A certificate that replaces another for the same name is reported as changed, every other one as loaded. */
  #tellNew(before: readonly OwnCertificate[], after: readonly OwnCertificate[]): void {
    const fingerprints = new Set(before.map((one) => `${placeOf(one)} ${one.fingerprint}`));
    const places = new Set(before.map(placeOf));
    for (const one of after) {
      if (fingerprints.has(`${placeOf(one)} ${one.fingerprint}`)) continue;
      const certificate = places.has(placeOf(one)) ? 'changed' : 'loaded';
      const expires = new Date(one.notAfterMs).toISOString();
      this.#events.publish('certificate', { ...one.of, name: one.name, certificate, expires });
    }
  }

  #watched(): readonly WatchedCertificate[] {
    const own = this.#own.map(({ of, name, notAfterMs }) => ({ of: { ...of, name }, notAfterMs }));
    const shown = this.#plan.pools.flatMap((pool) =>
      pool.backends.flatMap((backend) => {
        const certificate = this.shownBy(pool, backend);
        if (certificate === undefined) return [];
        const { name, notAfterMs } = certificate;
        return [{ of: { pool: pool.name, backend: backend.name, name }, notAfterMs }];
      }),
    );
    return [...own, ...shown];
  }
}

function placeOf({ of, name }: OwnCertificate): string {
  return JSON.stringify([of, name]);
}

function checkTlsOf({ pools }: Config): ReadonlyMap<string, BackendTls> {
  return new Map(
    pools.flatMap(({ name, healthCheck }) => {
      const tls = healthCheck?.connection.tls ?? 'off';
      return tls === 'off' ? [] : [[name, tls]];
    }),
  );
}
