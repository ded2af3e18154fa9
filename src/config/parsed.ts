/** The value of a text, or a noun phrase that says what was expected. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  /** `redacted` says the same without a word of the text, which may be none to show. */
  | { readonly ok: false; readonly expected: string; readonly redacted?: string | undefined };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function expected<T>(what: string, redacted?: string): Parsed<T> {
  return { ok: false, expected: what, redacted };
}
