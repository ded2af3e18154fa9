import type { ProbeConfig } from '../../../config/config.ts';
import type { ProbeAddress } from './connection.ts';
import { readable } from './failure.ts';
import { httpProbe, httpsProbe } from './http.ts';
import { sendExpectProbe } from './send-expect.ts';
import { tcpProbe } from './tcp.ts';
import { tlsProbe } from './tls.ts';

/**
 * Asks a backend once whether it is well, over a connection of its own. Fulfilled when it is; rejects with an
 * error whose message people can read, and with the signal's reason soon after the signal aborts. The
 * connection is closed either way.
 */
export async function probe(address: ProbeAddress, config: ProbeConfig, signal: AbortSignal): Promise<void> {
  try {
    await dispatch(address, config, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : readable(error);
  }
}

function dispatch(address: ProbeAddress, config: ProbeConfig, signal: AbortSignal): Promise<void> {
  switch (config.type) {
    case 'tcp':
      return tcpProbe(address, signal);
    case 'tls':
      return tlsProbe(address, config, signal);
    case 'http':
      return httpProbe(address, config, signal);
    case 'https':
      return httpsProbe(address, config, signal);
    case 'send-expect':
      return sendExpectProbe(address, config, signal);
  }
}
