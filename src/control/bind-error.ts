import { formatAddress } from '../config/addresses.ts';
import type { Address } from '../core/contract.ts';

/** An address could not be bound, and nothing has changed. The message says whose, why, and what would do. */
export class BindError extends Error {
  /** `who` begins the sentence, as in `Listener "web"`; `cause` is what the system said. */
  constructor(who: string, address: Address, cause: NodeJS.ErrnoException) {
    const wantsZone = cause.code === 'EINVAL' && 'host' in address && /^fe[89ab].*:/.test(address.host);
    const problem = wantsZone ? withoutZone : (problems[cause.code ?? ''] ?? cause.message);
    super(`${who} can't bind ${formatAddress(address)}: ${problem}`, { cause });
  }
}

const withoutZone = 'a link-local address takes the interface that it belongs to, as in "[fe80::1%eth0]:80"';

const problems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use; stop what listens there or choose another port',
  EACCES: 'permission denied; choose a port above 1023 or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine has no such address',
};
