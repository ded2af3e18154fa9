/** Where workers listen: the one list, which their supervisors write and reloads compare with what is wanted. */
import { formatAddress } from '../../config/addresses.ts';
import type { Address, ListenerSlot } from '../../core/contract.ts';
import type { DriverModule } from '../../drivers/driver.ts';

/** By `placeOf`. */
export type BoundAddresses = Map<string, Binding>;

/** An address that workers listen on, for which listener, and by which driver. */
export interface Binding {
  readonly listener: ListenerSlot;
  readonly address: Address;
  readonly driver: DriverModule['name'];
  /** As the configuration asks for it: with port 0, the address says which port it became. */
  readonly writtenAs: string;
  /** Its clients wait to be accepted. */
  readonly isPaused: boolean;
}

/** While a listener changes its driver, both have its address. */
export function placeOf({ address, driver }: Pick<Binding, 'address' | 'driver'>): string {
  return `${driver} ${formatAddress(address)}`;
}
