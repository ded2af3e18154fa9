/** The admin API's address and token. */
import { formatAddress } from './addresses.ts';
import { placeOfBind, readBind } from './binds.ts';
import type { AdminConfig } from './config.ts';
import { defaultAdminBind } from './defaults.ts';
import type { ConfigDocument } from './document.ts';
import type { AdminInput } from './schema/schema.ts';

export function readAdmin(document: ConfigDocument, input: AdminInput | undefined): AdminConfig | 'off' {
  if (input === undefined || input.bind === 'off') return 'off';
  const bindPath = placeOfBind(['admin', 'bind'], input.bind);
  const bind =
    input.bind === undefined
      ? defaultAdminBind
      : readBind(document, ['admin', 'bind'], input.bind, defaultAdminBind);
  const token = input.token === '' ? undefined : input.token;
  const isPrivate = 'path' in bind || bind.host === '::1' || bind.host.startsWith('127.');
  const isMistaken = input.token === undefined && document.placeOf(['admin', 'token']) !== undefined;
  if (!isPrivate && token === undefined && !isMistaken) {
    const found = formatAddress(bind);
    document.problem(
      bindPath,
      `Expected a token beside an address that others reach, found ${found} without one`,
    );
  }
  return { bind, token };
}
