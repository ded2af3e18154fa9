/**
 * What a parser of first bytes answers. It is given all the bytes that have come so far, from the first one
 * on, and again whenever more have come. `incomplete`: what is there fits, and does not decide. `mismatch`: no
 * bytes that follow can make it what was looked for. An answer other than `incomplete` stays the answer.
 */
export type ParseResult<T> =
  | { readonly state: 'incomplete' }
  | { readonly state: 'mismatch' }
  | ({ readonly state: 'complete' } & T);
