/**
 * Where the admin API listens, and its token, read from a file whose other parts may be wrong. Whoever asks a running
 * proxy must not fail because of them, nor because of the files that they name.
 */
import type { Address } from '../core/contract.ts';
import { parseBind } from './addresses.ts';
import { isContainer } from './document.ts';
import { defaultAdminBind } from './options/admin.ts';
import { readNodes } from './reading.ts';
import type { Environment } from './substitution.ts';
import { composeYaml } from './yaml.ts';

/** `unknown` where the file is too damaged to tell; then the default is the best guess. */
export type AdminBind =
  | { readonly kind: 'at'; readonly address: Address; readonly token?: string | undefined }
  | { readonly kind: 'off' }
  | { readonly kind: 'unknown' };

export function adminBindIn(text: string, env: Environment): AdminBind {
  const { contents, mistakes } = composeYaml(text);
  if (mistakes.length === 0) return bindOf(readNodes(contents, env).value);
  // The text after a mistake may have been read as something else, so the section is read by itself.
  const section = adminSection(text);
  for (const part of [section, ...writtenBinds(section)]) {
    const { contents, mistakes } = composeYaml(part);
    const found = mistakes.length === 0 ? bindOf(readNodes(contents, env).value) : undefined;
    if (found?.kind === 'at') return found;
  }
  return { kind: 'unknown' };
}

/** The key `bind` of a section that is damaged itself, with what stands behind it, as a section of its own. */
function* writtenBinds(section: string): Iterable<string> {
  for (const [, value = ''] of section.matchAll(bindKey)) yield `admin: { bind: ${value} }`;
}

/** A text in quotes, or one without up to a blank or what ends it in braces. */
const bindKey = /(?<=^|[\s{,])["']?bind["']?[ \t]*:[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s,{}[\]"']+)/g;

function bindOf(root: unknown): AdminBind {
  if (!isContainer(root)) return { kind: 'unknown' };
  if (!('admin' in root) || root['admin'] === null) return { kind: 'off' };
  const { admin } = root;
  if (!isContainer(admin)) return { kind: 'unknown' };
  const token = typeof admin['token'] === 'string' && admin['token'] !== '' ? admin['token'] : undefined;
  if (!('bind' in admin)) return { kind: 'at', address: defaultAdminBind, token };
  if (admin['bind'] === 'off') return { kind: 'off' };
  const bind = isContainer(admin['bind']) ? admin['bind']['address'] : admin['bind'];
  const address = typeof bind === 'string' ? parseBind(bind) : undefined;
  return address?.ok ? { kind: 'at', address: address.value, token } : { kind: 'unknown' };
}

/** The line of the key `admin`, and those that are indented or empty up to the next key of the file. */
function adminSection(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => /^admin[ \t]*:/.test(line));
  if (first < 0) return '';
  const length = lines.slice(first + 1).findIndex((line) => /^[^ \t#\r]/.test(line));
  return lines.slice(first, length < 0 ? undefined : first + 1 + length).join('\n');
}
