import type { Address } from '../../core/contract.ts';

/** One of the addresses that a target stands for; what is absent is as the config says. */
export interface Endpoint {
  readonly address: Address;
  /** What people call it, where that is not its address. */
  readonly writtenAs?: string;
  readonly weight?: number;
  /** 0 serves first; each other rank only while none of those before can. */
  readonly rank?: number;
  /** What the address was resolved from. */
  readonly hostName?: string;
}
