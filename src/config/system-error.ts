import { getSystemErrorMap } from 'node:util';

/** The system's words and code of an error that a system call gave: `no such file or directory (ENOENT)`. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('errno' in error) || typeof error.errno !== 'number') return error.message;
  const [code, words] = getSystemErrorMap().get(error.errno) ?? [];
  return code === undefined ? error.message : `${words} (${code})`;
}
