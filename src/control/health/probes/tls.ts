import type { ProbeTls } from '../../../config/config.ts';
import { overTls, type ProbeAddress } from './connection.ts';

/** Passes once the handshake is done, and says goodbye (close_notify) before it closes. */
export async function tlsProbe(
  address: ProbeAddress,
  { tls }: { readonly tls: ProbeTls },
  signal: AbortSignal,
): Promise<void> {
  await overTls(address, tls, signal, (socket) => new Promise((resolve) => socket.end(() => resolve())));
}
