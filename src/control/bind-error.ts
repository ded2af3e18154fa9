import { formatAddress } from '../config/addresses.ts';
import type { Address } from '../core/contract.ts';

/** An address could not be bound, and nothing has changed. The message says whose, why, and what would do. */
export class BindError extends Error {
  /** `who` begins the sentence, as in `Listener "web"`; `cause` is what the system said. */
  constructor(who: string, address: Address, cause: NodeJS.ErrnoException) {
    const problem = problems[cause.code ?? ''] ?? cause.message;
    super(`${who} can't bind ${formatAddress(address)}: ${problem}`, { cause });
  }
}

const problems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use; stop what listens there or choose another port',
  EACCES: 'permission denied; choose a port above 1023 or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine has no such address',
};
