/** The second half of the build: from what the compiler made in dist/, what is shipped goes to dist/bundle/. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleDashboard } from './dashboard.ts';
import { writeLicences } from './licences.ts';
import { bundleProgram } from './program.ts';
import { compileValidator } from './validator.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = `${root}dist/bundle/`;

rmSync(folder, { recursive: true, force: true });
compileValidator(`${root}dist/src/config/`);
writeLicences(root, bundleProgram(root, folder), `${folder}LICENCES.txt`);
bundleDashboard(`${root}src/dashboard/`, `${folder}dashboard/`);
