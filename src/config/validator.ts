/**
 * Finds where a value does not fit the schema of the configuration. In what is built, this module is the code that was
 * compiled here (scripts/bundle/validator.ts): the compiler would take 8 MB of a process that needs it no more.
 */
import type { ValidateFunction } from 'ajv';
import { configSchema } from './options/config.ts';
import { compiler } from './schema-compiler.ts';

export const validate: ValidateFunction = compiler.compile(configSchema);
