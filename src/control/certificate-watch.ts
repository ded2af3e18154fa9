/**
 * Says in the log and as an event which certificates are about to run out, and which are over: at once when a
 * configuration brings them, and once a day after that. What backends show is looked at every minute.
 */
import type { Logger } from 'pino';
import { soonMs } from '../config/certificates.ts';
import type { Events } from '../telemetry/events.ts';

export interface WatchedCertificate {
  /** The listener, pool or backend that has it, and its name: the fields of its line. */
  readonly of: {
    readonly listener?: string;
    readonly pool?: string;
    readonly backend?: string;
    readonly name: string;
  };
  /** Until when it is good, in milliseconds since 1970. */
  readonly notAfterMs: number;
}

export class CertificateWatch {
  readonly #certificates: () => readonly WatchedCertificate[];
  readonly #logger: Logger;
  readonly #events: Pick<Events, 'publish'>;
  readonly #wallClockMs: () => number;
  readonly #timer: NodeJS.Timeout;
  /** The last warning about each certificate that has one. */
  #told: ReadonlyMap<string, Told> = new Map();

  constructor(
    certificates: () => readonly WatchedCertificate[],
    logger: Logger,
    events: Pick<Events, 'publish'>,
    wallClockMs: () => number = Date.now,
  ) {
    this.#certificates = certificates;
    this.#logger = logger;
    this.#events = events;
    this.#wallClockMs = wallClockMs;
    this.#timer = setInterval(() => this.look(), everyMs).unref();
  }

  look(): void {
    const nowMs = this.#wallClockMs();
    const told = new Map<string, Told>();
    for (const certificate of this.#certificates()) {
      const leftMs = certificate.notAfterMs - nowMs;
      if (leftMs > soonMs) continue;
      const key = JSON.stringify(certificate);
      const known = told.get(key) ?? this.#told.get(key);
      const isOver = leftMs <= 0;
      const isSaid = known !== undefined && known.isOver === isOver && nowMs < known.atMs + dayMs;
      if (!isSaid) this.#say(certificate, leftMs);
      told.set(key, isSaid ? known : { atMs: nowMs, isOver });
    }
    this.#told = told;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #say({ of, notAfterMs }: WatchedCertificate, leftMs: number): void {
    const expires = new Date(notAfterMs).toISOString();
    this.#events.publish('certificate', {
      ...of,
      certificate: leftMs <= 0 ? 'expired' : 'expiring',
      expires,
    });
    if (leftMs <= 0) this.#logger.error({ ...of, expires }, 'certificate has expired');
    else this.#logger.warn({ ...of, expires, days: Math.floor(leftMs / dayMs) }, 'certificate expires soon');
  }
}

interface Told {
  readonly atMs: number;
  readonly isOver: boolean;
}

const everyMs = 60_000;
const dayMs = 24 * 60 * 60 * 1_000;
