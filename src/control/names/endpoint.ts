import type { Address } from '../../core/contract.ts';

/** One of the addresses that a target stands for; what is absent is as the config says. */
export interface Endpoint {
  readonly address: Address;
  /** What people call it, where that is not its address. */
  readonly writtenAs?: string;
  readonly weight?: number;
  readonly backup?: boolean;
  /** What the address was resolved from. */
  readonly hostName?: string;
}
