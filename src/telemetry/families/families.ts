/** THE TABLE of what sluice counts and measures, in the order in which it is told. */
import { backendFamilies } from './backends.ts';
import { certificateFamilies } from './certificates.ts';
import { configurationFamilies } from './configuration.ts';
import type { Family } from './family.ts';
import { listenerFamilies } from './listeners.ts';
import { nameFamilies } from './names.ts';
import { poolFamilies } from './pools.ts';
import { processFamilies } from './process.ts';

export const families: readonly Family[] = [
  ...processFamilies,
  ...configurationFamilies,
  ...listenerFamilies,
  ...poolFamilies,
  ...backendFamilies,
  ...nameFamilies,
  ...certificateFamilies,
];
