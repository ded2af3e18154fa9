/** Something that must always hold did not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function must(claim: boolean, message: () => string): asserts claim {
  if (!claim) throw new Violation(message());
}
