import { createRequire } from 'node:module';

/** From package.json, which is two folders up where this was built and one where it runs from source. */
export const version: string = readVersion();

function readVersion(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const found: unknown = require(path);
      if (typeof found === 'object' && found !== null && 'version' in found) return String(found.version);
    } catch {
      // Not there: the next one is.
    }
  }
  return 'unknown';
}
