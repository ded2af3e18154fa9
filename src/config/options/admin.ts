/** The admin API's address and token. */
import type { Address } from '../../core/contract.ts';
import { expectedBind, formatAddress, meantBind, parseBind } from '../addresses.ts';
import type { AdminConfig } from '../config.ts';
import { meansOff, quoted, textOf } from '../guesses.ts';
import { bindWithMode, type LocatedAddress, readBind } from './bind.ts';
import { expects, guesses } from './json-schema.ts';
import { type Input, mapping, optional, type Reader, withDefault } from './option.ts';
import { text } from './terms.ts';

/** Where the admin API listens once the file has an `admin` key; without one it is off. */
export const defaultAdminBind: Address = { host: '127.0.0.1', port: 9900 };

const expectedBindOrOff = `${expectedBind}, or "off"`;

const bind: Reader<string | Input<typeof bindWithMode>, LocatedAddress | 'off' | undefined> = {
  schema: {
    anyOf: [text(expectedBindOrOff, { description: 'The address.' }).schema, bindWithMode.schema],
    description:
      'Where the admin API listens: off, host:port or unix:/path. Anything but loopback and unix needs a token.',
    default: formatAddress(defaultAdminBind),
    examples: [
      '127.0.0.1:9900',
      'unix:/run/sluice-admin.sock',
      { address: 'unix:/run/sluice-admin.sock', mode: '0600' },
      'off',
    ],
    [expects]: expectedBindOrOff,
    [guesses]: (found: unknown) => (meansOff(found) ? quoted('off') : meantAdminBind(found)),
  },
  read: (input, location) => (input === 'off' ? 'off' : readBind(input, location)),
};

/** A port alone is one on loopback, as the API is not for everybody. */
function meantAdminBind(found: unknown): string | undefined {
  const isPort = /^[0-9]+$/.test(textOf(found)) && parseBind(`127.0.0.1:${found}`).ok;
  return isPort ? quoted(`127.0.0.1:${found}`) : meantBind(found);
}

const token: Reader<string, string> = {
  schema: {
    type: 'string',
    pattern: '^[!-~]*$',
    maxLength: 4096,
    writeOnly: true,
    description: 'What requests must bring as "Authorization: Bearer …". Empty is none.',
    examples: [`\${SLUICE_ADMIN_TOKEN:-}`],
    [expects]: 'a token of printable ASCII without spaces',
  },
  read: (input) => input,
};

type Admin = Omit<AdminConfig, 'bind'> & { readonly bind: LocatedAddress };

const adminMapping = mapping(
  'The admin API: state, metrics, reload. Off without this key.',
  { bind: optional(bind), token: optional(token) },
  (values, location): Admin | 'off' => {
    if (values.bind === 'off') return 'off';
    const bind = values.bind ?? { address: defaultAdminBind, location: location.at('bind') };
    const token = values.token === '' ? undefined : values.token;
    const isMistaken = values.token === undefined && location.at('token').isWritten;
    if (!isPrivate(bind.address) && token === undefined && !isMistaken) {
      const found = bind.location.described(formatAddress(bind.address));
      bind.location.problem(
        `Expected a token beside an address that others reach, found ${found} without one`,
      );
    }
    return { bind, token };
  },
);

export const admin = withDefault(adminMapping, 'off' as const);

function isPrivate(address: Address): boolean {
  return 'path' in address || address.host === '::1' || address.host.startsWith('127.');
}
