/** What a parser says of the first bytes of a connection, of which more may come. */
export type Finding<T> =
  | { readonly state: 'need-more' }
  | { readonly state: 'not-this' }
  | ({ readonly state: 'found' } & T);
