/**
 * Where the admin API listens, of a configuration of which nothing else matters: whoever asks a running proxy for its
 * health must not be stopped by what is wrong elsewhere in the file, nor by files that it names.
 */
import type { Address } from '../core/contract.ts';
import { parseBind } from './addresses.ts';
import { isContainer } from './document.ts';
import { defaultAdminBind } from './options/admin.ts';
import { readNodes } from './reading.ts';
import type { Environment } from './substitution.ts';
import { composeYaml } from './yaml.ts';

/** `unknown` where the file does not tell, as it is damaged; then the proxy may be where it is by default. */
export type AdminBind =
  | { readonly kind: 'at'; readonly address: Address }
  | { readonly kind: 'off' }
  | { readonly kind: 'unknown' };

export function adminBindIn(text: string, env: Environment): AdminBind {
  const { contents, mistakes } = composeYaml(text);
  if (mistakes.length === 0) return bindOf(readNodes(contents, env).value);
  // What follows a mistake may have been read as something else: so the section is read by itself first.
  const section = composeYaml(adminSection(text));
  const found = section.mistakes.length === 0 ? bindOf(readNodes(section.contents, env).value) : undefined;
  return found?.kind === 'at' ? found : { kind: 'unknown' };
}

function bindOf(root: unknown): AdminBind {
  if (!isContainer(root)) return { kind: 'unknown' };
  if (!('admin' in root) || root['admin'] === null) return { kind: 'off' };
  const { admin } = root;
  if (!isContainer(admin)) return { kind: 'unknown' };
  if (!('bind' in admin)) return { kind: 'at', address: defaultAdminBind };
  if (admin['bind'] === 'off') return { kind: 'off' };
  const bind = isContainer(admin['bind']) ? admin['bind']['address'] : admin['bind'];
  const address = typeof bind === 'string' ? parseBind(bind) : undefined;
  return address?.ok ? { kind: 'at', address: address.value } : { kind: 'unknown' };
}

/** The line of the key `admin`, and those that are indented or empty up to the next key of the file. */
function adminSection(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => /^admin[ \t]*:/.test(line));
  if (first < 0) return '';
  const length = lines.slice(first + 1).findIndex((line) => /^[^ \t#\r]/.test(line));
  return lines.slice(first, length < 0 ? undefined : first + 1 + length).join('\n');
}
