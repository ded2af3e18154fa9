import { createHash, timingSafeEqual } from 'node:crypto';

/** The secret that a request must bear. Comparing takes the same time whatever is offered. */
export class Token {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digest(Buffer.from(token, 'utf8'));
  }

  /** Whether an `Authorization` header bears it (RFC 6750, 2.1; the scheme's case does not matter). */
  isBorneBy(authorization: string | undefined): boolean {
    const [, offered] = /^bearer +(.+)$/i.exec(authorization ?? '') ?? [];
    if (offered === undefined) return false;
    // Node reads a header's bytes as Latin-1, so this gives the bytes back as they came.
    return timingSafeEqual(digest(Buffer.from(offered, 'latin1')), this.#digest);
  }
}

/** Of equal length whatever goes in, which is what timingSafeEqual wants. */
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
