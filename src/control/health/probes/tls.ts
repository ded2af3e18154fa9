import type { ProbeTls } from '../../../config/config.ts';
import type { Address } from '../../../core/contract.ts';
import { overTls } from './connection.ts';

/** Passes once the handshake is done, and says goodbye (close_notify) before it closes. */
export async function tlsProbe(
  address: Address,
  { tls }: { readonly tls: ProbeTls },
  signal: AbortSignal,
): Promise<void> {
  await overTls(address, tls, signal, (socket) => new Promise((resolve) => socket.end(() => resolve())));
}
