import type { CoreEvent } from '../../core/contract.ts';
import * as kernel from './kernel.ts';

/** What became of a dial, by the error's number. */
export function dialFailure(errno: number): DialFailure {
  switch (errno) {
    case kernel.ECONNREFUSED:
    case kernel.ENOENT: // a unix socket that nobody has made
      return 'connect-refused';
    case kernel.EMFILE:
    case kernel.ENFILE:
    case kernel.EADDRNOTAVAIL:
    case kernel.ENOBUFS:
    case kernel.ENOMEM:
      return 'exhausted';
    default:
      return 'connect-failed';
  }
}

type DialFailure = Extract<CoreEvent, { readonly kind: 'dial-failed' }>['why'];
