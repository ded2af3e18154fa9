/** A checked configuration as JSON for people, with every default filled in. */
import { secrets } from './options/config.ts';

/**
 * To be handed to JSON.stringify. JSON has no Infinity: it is written as in the configuration file. Secrets are nobody's
 * business, and the words of a compiled list tell nobody anything.
 */
export function shown(key: string, value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return 'unlimited';
  if (ArrayBuffer.isView(value)) return undefined;
  return secrets.keys.has(key) && value !== undefined ? '(hidden)' : value;
}
