/** For claims that only a bug of ours can break, never for what a peer or an operator can send. */
export function assert(claim: boolean, message: string): asserts claim {
  if (!claim) throw new Error(`Broken invariant: ${message}`);
}
