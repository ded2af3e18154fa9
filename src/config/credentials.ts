/** Replaces the secrets that URLs in a text may have by …: a user with a password (RFC 3986, 3.2.1), and a query. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(urlRest, (rest) => rest.replace(/^:\/\/[^/?#]*@/, '://…@').replace(/\?.+$/, '?…'));
}

/** A URL without its scheme, up to a blank or a quote. Each character is looked at a bounded number of times. */
const urlRest = /:\/\/[^\s"']+/g;
