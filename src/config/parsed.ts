/** The value of a text, or a noun phrase that says what was expected. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function expected<T>(what: string): Parsed<T> {
  return { ok: false, expected: what };
}
