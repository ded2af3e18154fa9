import { readFile } from 'node:fs/promises';
import { isExhaustion } from '../../drivers/dial-failure.ts';

/**
 * The text of a file of the system's; empty where there is none, or none for us. Rejects where this process is out of
 * descriptors or memory: what could not be read must not be taken for gone, and names not for others.
 */
export async function systemFile(
  path: string,
  read: (path: string, encoding: 'utf8') => Promise<string> = readFile,
): Promise<string> {
  try {
    return await read(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && isExhaustion(String(error.code))) throw error;
    return '';
  }
}
