import { overTcp, type ProbeAddress } from './connection.ts';

/**
 * Passes once the connection stands, and closes it with FIN: to the server this is a client that came and
 * left, where a reset would stand in its log as an error.
 */
export async function tcpProbe(address: ProbeAddress, signal: AbortSignal): Promise<void> {
  await overTcp(address, signal, async () => {});
}
