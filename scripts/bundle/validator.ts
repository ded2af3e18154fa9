/** Puts compiled code in the place of src/config/validator.ts, so that sluice loads no compiler. */
import { rmSync, writeFileSync } from 'node:fs';
import standalone from 'ajv/dist/standalone/index.js';
import { configSchema } from '../../src/config/options/config.ts';
import { compiler } from '../../src/config/schema-compiler.ts';

/** What people read in it would be part of the code. */
const withoutWords = JSON.parse(
  JSON.stringify(configSchema, (key, value: unknown) =>
    typeof value === 'string' && key === 'description' ? undefined : value,
  ),
);

export function compileValidator(folder: string): void {
  // Ajv writes CommonJS; what it writes for modules would use `require` too, for the parts of Ajv that it needs.
  writeFileSync(`${folder}validator.cjs`, standalone.default(compiler, compiler.compile(withoutWords)));
  writeFileSync(`${folder}validator.js`, `export { default as validate } from './validator.cjs';\n`);
  rmSync(`${folder}validator.js.map`, { force: true });
}
