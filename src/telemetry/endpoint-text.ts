import type { Endpoint } from '../core/net/endpoint.ts';

/** As the log writes a client: `203.0.113.7:50123`, `[2001:db8::1]:443`, `unix`. */
export function endpointText({ address, port }: Pick<Endpoint, 'address' | 'port'>): string {
  if (address === 'unix') return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
