import { readFile } from 'node:fs/promises';

const { SystemRoot = 'C:\\Windows' } = process.env;
const systemHostsFile =
  process.platform === 'win32' ? `${SystemRoot}\\System32\\drivers\\etc\\hosts` : '/etc/hosts';

/** Whether the hosts file knows a name: it goes before DNS, as everywhere on the system. */
export async function listedInHostsFile(name: string): Promise<boolean> {
  const text = await readFile(systemHostsFile, 'utf8').catch(() => '');
  return hostsFileNames(text).has(name.toLowerCase());
}

/** The names in a hosts file's text, in lower case (hosts(5)). */
export function hostsFileNames(text: string): ReadonlySet<string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().toLowerCase());
  return new Set(lines.flatMap((line) => line.split(/\s+/).slice(1)));
}
