/**
 * What a parser of first bytes answers. It is given all the bytes that have come so far, from the first one
 * on, and again whenever more have come. `need-more`: what is there fits, and does not decide. `not-this`: no
 * bytes that follow can make it what was looked for. An answer other than `need-more` stays the answer.
 */
export type Finding<T> =
  | { readonly state: 'need-more' }
  | { readonly state: 'not-this' }
  | ({ readonly state: 'found' } & T);
