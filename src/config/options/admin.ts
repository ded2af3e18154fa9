/** The admin API: where it listens, who may use it, and what it remembers. */
import { dirname, resolve } from 'node:path';
import type { Address } from '../../core/contract.ts';
import { expectedBind, formatAddress, meantBind, parseBind } from '../addresses.ts';
import type { AdminConfig, AdminToken } from '../config.ts';
import { meansOff, meansOn, quoted, textOf } from '../guesses.ts';
import { bindWithMode, type LocatedAddress, readBind } from './bind.ts';
import { expects, guesses } from './json-schema.ts';
import { type Input, list, mapping, optional, type Reader, withDefault } from './option.ts';
import { oneOf, text } from './terms.ts';

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

/** What `token` allows. */
const may = 'operate';

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

const tokenMapping = mapping(
  'A token of its own for whoever looks or operates.',
  {
    name: text('a name', {
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$',
      description: 'What the log calls its bearer.',
      examples: ['ci'],
    }),
    token,
    may: oneOf(['read', 'operate'], {
      description: 'Look at state and metrics alone, or also reload and change backends.',
      default: 'read',
    }),
  },
  (values): AdminToken => values,
);

const tokenList = list(tokenMapping, {
  description: 'More tokens, each with a name and what it may do.',
  [expects]: 'a list of tokens such as [{ name: ci, token: "…", may: operate }]',
});

const tokens: typeof tokenList = {
  ...tokenList,
  read: (input, location) => {
    const read = tokenList.read(input, location);
    const names = read.map(({ name }) => name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) < index) location.at(index, 'name').expected('each name once');
    }
    return read.filter(({ token }) => token !== '');
  },
};

const state: Reader<string, string> = {
  ...text('the path of a file', {
    description:
      'A file, relative to this one, that keeps what operators have changed over a restart. Without it, that lasts as long as the process.',
    examples: ['/var/lib/sluice/admin.json'],
  }),
  read: (input, location) => resolve(dirname(location.document.file), input),
};

type AdminSection = Omit<AdminConfig, 'bind'> & { readonly bind: LocatedAddress };

const adminMapping = mapping(
  'The admin API: state, metrics, reload, changes of backends. Off without this key.',
  {
    bind: optional(bind),
    token: optional(token),
    tokens: withDefault(tokens, []),
    state: optional(state),
  },
  (values, location): AdminSection | 'off' => {
    if (values.bind === 'off') return 'off';
    const bind = values.bind ?? { address: defaultAdminBind, location: location.at('bind') };
    const { token = '' } = values;
    const tokens = [...(token === '' ? [] : [{ name: 'token', token, may } as const]), ...values.tokens];
    const isMistaken = values.token === undefined && location.at('token').isWritten;
    if (!isPrivate(bind.address) && tokens.length === 0 && !isMistaken) {
      const found = bind.location.described(formatAddress(bind.address));
      bind.location.problem(
        `Expected a token beside an address that others reach, found ${found} without one`,
      );
    }
    return { bind, tokens, state: values.state };
  },
  { example: '{ bind: "127.0.0.1:9900" }', guess: (found) => (meansOn(found) ? '{}' : undefined) },
);

export const admin = withDefault(adminMapping, 'off' as const);

function isPrivate(address: Address): boolean {
  return 'path' in address || address.host === '::1' || address.host.startsWith('127.');
}
