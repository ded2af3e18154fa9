/**
 * Compiles JSON Schema into code. It is draft 7, which every editor's YAML support understands; the schema of the
 * configuration needs nothing newer.
 */
import { Ajv } from 'ajv';

export const compiler = new Ajv({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  // The sentences are our own (validation.ts).
  messages: false,
  code: { source: true },
});
