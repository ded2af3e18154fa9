/** Part of the build: puts compiled code in the place of src/config/validator.ts, so that sluice loads no compiler. */
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import standalone from 'ajv/dist/standalone/index.js';
import { configSchema } from '../src/config/options/config.ts';
import { compiler } from '../src/config/schema-compiler.ts';

const file = fileURLToPath(new URL('../src/config/validator.js', import.meta.url));

// Ajv writes CommonJS; what it writes for modules would use `require` too, for the parts of Ajv that it needs.
const code = standalone.default(compiler, compiler.compile(configSchema));
writeFileSync(
  file,
  `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const module = { exports: {} };
${code}
export const validate = module.exports;
`,
);
rmSync(`${file}.map`, { force: true });
