/** A set of networks, made once by the control plane and shared by all threads. */
export interface AddressSet {
  readonly words: Int32Array;
}
