import { systemFile } from './system-file.ts';

const { SystemRoot = 'C:\\Windows' } = process.env;
const systemHostsFile =
  process.platform === 'win32' ? `${SystemRoot}\\System32\\drivers\\etc\\hosts` : '/etc/hosts';

/** Whether the hosts file knows a name: it goes before DNS, as everywhere on the system. */
export async function listedInHostsFile(name: string): Promise<boolean> {
  return hostsFileNames(await systemFile(systemHostsFile)).has(name.toLowerCase());
}

/** The names in a hosts file's text, in lower case (hosts(5)). */
export function hostsFileNames(text: string): ReadonlySet<string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().toLowerCase());
  return new Set(lines.flatMap((line) => line.split(/\s+/).slice(1)));
}
