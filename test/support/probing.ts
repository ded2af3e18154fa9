import type { CheckConnection, ProbeConfig } from '../../src/config/config.ts';
import { probe as ask } from '../../src/control/health/probes/probe.ts';
import { questionOf } from '../../src/control/health/question.ts';
import type { Address, BackendTls } from '../../src/core/plan.ts';

/** A backend's address, and what is known of it besides. */
type Probed = Address & {
  readonly proxyProtocol?: CheckConnection['proxyProtocol'];
  readonly hostName?: string;
};

/** Probes a backend once with what a check of a configuration says; with `tls`, over TLS. */
export async function probe(
  backend: Probed,
  check: ProbeConfig & { readonly tls?: Partial<BackendTls> },
  signal = deadline(),
  timeoutMs = 2_000,
  certificateShown = (_notAfterMs: number): void => {},
): Promise<void> {
  const address = 'path' in backend ? { path: backend.path } : { host: backend.host, port: backend.port };
  const { tls, ...probe } = check;
  const asSessions: CheckConnection = {
    proxyProtocol: backend.proxyProtocol ?? 'off',
    tls: tls === undefined ? 'off' : { ...trusting, ...tls },
  };
  const question = questionOf(
    { address, hostName: backend.hostName },
    { ...rhythm, port: undefined, probe, connection: asSessions, connectionElsewhere: asSessions },
  );
  await ask(question, signal, timeoutMs, certificateShown);
}

/** Nothing of it matters to one probe. */
const rhythm = { intervalMs: 1_000, timeoutMs: 1_000, rise: 1, fall: 1, jitterPercent: 0 };

const trusting: BackendTls = {
  servername: undefined,
  ca: undefined,
  verify: true,
  cert: undefined,
  key: undefined,
};

/** Bounds a wait in a test that should never take this long. */
export function deadline(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
