/** Reads a PROXY protocol header of either version from the first bytes of a connection. */
import type { ProxyParseResult } from './proxy-header.ts';
import { LineReader, v1Signature } from './proxy-v1.ts';
import { BlockReader, v2Signature } from './proxy-v2.ts';

/**
 * Reads one header, in whatever fragments it comes. The first bytes are those of a header only if they are
 * `PROXY ` or the twelve bytes that open version 2: until one differs the answer is `incomplete`, with it
 * `mismatch`, and after the last anything wrong is `broken`. Never throws.
 */
export class ProxyHeaderParser {
  #matched = 0;
  #reader: LineReader | BlockReader | undefined;
  #result: ProxyParseResult = { state: 'incomplete' };

  /**
   * Takes all bytes from the connection's first on, at each call as many or more. The first answer but `incomplete`
   * stays.
   */
  read(bytes: Uint8Array): ProxyParseResult {
    if (this.#result.state === 'incomplete') this.#result = this.#readOn(bytes);
    return this.#result;
  }

  /** Whether a whole signature has come: without one, what ends or falls silent may still be payload. */
  get begun(): boolean {
    return this.#reader !== undefined;
  }

  #readOn(bytes: Uint8Array): ProxyParseResult {
    if (this.#reader === undefined) {
      const isV1 = bytes[0] === v1Signature[0];
      const signature = isV1 ? v1Signature : v2Signature;
      const end = Math.min(bytes.length, signature.length);
      for (; this.#matched < end; this.#matched++) {
        if (bytes[this.#matched] !== signature[this.#matched]) return { state: 'mismatch' };
      }
      if (this.#matched < signature.length) return { state: 'incomplete' };
      this.#reader = isV1 ? new LineReader() : new BlockReader();
    }
    return this.#reader.read(bytes);
  }
}
