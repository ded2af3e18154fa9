/**
 * Puts the program's modules and its packages into a few files: to find, open and compile hundreds of small ones took
 * most of a start. What is loaded by `import()` stays in a file of its own, and what several files need in a common
 * one.
 */
import { buildSync } from 'esbuild';

/** Returns the files that went in, as paths from the root. */
export function bundleProgram(root: string, folder: string): readonly string[] {
  const { metafile } = buildSync({
    absWorkingDir: root,
    // The executable, what it loads, the library, and a worker thread.
    entryPoints: ['main', 'cli/program', 'index', 'dataplane/worker'].map((name) => `dist/src/${name}.js`),
    outbase: 'dist/src',
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // It has native code, and is optional.
    external: ['koffi'],
    // Packages in CommonJS ask for Node's modules by `require`, which modules don't have.
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);`,
    },
    // The text stays in memory, in each thread. Names stay for stack traces, whose first line shows one of the text.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 150,
    // For source-places.ts, and whoever debugs. It takes nothing of the program that nobody debugs.
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}
