import type { Config } from '../../src/config/config.ts';
import { formatIssues } from '../../src/config/issues.ts';
import type { LoadResult } from '../../src/config/load.ts';
import type { ReadFile } from '../../src/config/named-files.ts';

/** The config of a result, which is expected to have no issues. */
export function configOf(result: LoadResult): Config {
  if (!result.ok) throw new Error(formatIssues(result.issues));
  return result.config;
}

/** Reads these texts, by their absolute paths, as if they were the only files. */
export function readFrom(files: Readonly<Record<string, string>>): ReadFile {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`it is not among ${Object.keys(files)}`);
    return text;
  };
}
