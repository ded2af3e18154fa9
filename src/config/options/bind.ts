/** Addresses to listen on: each is a text, or a mapping with the mode of a unix socket. */
import type { Address } from '../../core/contract.ts';
import { expectedBind, meantBind, parseBind } from '../addresses.ts';
import type { Location } from '../location.ts';
import { warnOfObstacle } from '../unix-paths.ts';
import { expects, guesses } from './json-schema.ts';
import { type Input, list, mapping, oneOrList, optional, type Reader } from './option.ts';
import { parsedText, text } from './terms.ts';

const address = parsedText(expectedBind, parseBind, {
  description:
    'host:port, where host is an IP address or localhost; :port for every interface, IPv6 and IPv4; or unix:/path. Port 0 takes a free port. Quote an IPv6 address: "[::1]:8080".',
  examples: ['127.0.0.1:8080', ':8080', '[::1]:8080', 'unix:/run/web.sock'],
  [guesses]: meantBind,
});

export const bindWithMode = mapping(
  'An address with more than itself.',
  {
    address,
    mode: optional(
      text('permissions in quotes such as "0660"', {
        pattern: '^0?[0-7]{3}$',
        description:
          "Who may connect to a unix socket: its file's permissions. Without it, what the umask leaves of 0777.",
        examples: ['0660'],
      }),
    ),
  },
  ({ address, mode }, location, input): LocatedAddress | undefined => {
    if (address === undefined) return undefined;
    const located = { address, location: location.at('address') };
    if (mode === undefined) return located;
    if ('path' in address) return { ...located, address: { ...address, mode: Number.parseInt(mode, 8) } };
    const found = located.location.described(JSON.stringify(input.address));
    location.at('mode').problem(`Key "mode" goes with a unix socket, found ${found}`, 'key');
    return located;
  },
);

/** An address, and where it is written. */
export interface LocatedAddress {
  readonly address: Address;
  readonly location: Location;
}

type BindInput = string | Input<typeof bindWithMode>;

/** Reads either form. Reports a text that is no address, and returns undefined. */
export function readBind(input: BindInput, location: Location): LocatedAddress | undefined {
  const located = readEitherForm(input, location);
  if (located !== undefined && 'path' in located.address) warnOfObstacle(located.address, located.location);
  return located;
}

function readEitherForm(input: BindInput, location: Location): LocatedAddress | undefined {
  if (typeof input !== 'string') return bindWithMode.read(input, location);
  const parsed = address.read(input, location);
  return parsed && { address: parsed, location };
}

const bind: Reader<BindInput, LocatedAddress | undefined> = {
  schema: { anyOf: [address.schema, bindWithMode.schema], [expects]: expectedBind, [guesses]: meantBind },
  read: readBind,
};

const bindList = list(bind, { minItems: 1, [expects]: 'at least one address' });

export const binds = oneOrList(
  {
    anyOf: [address.schema, bindWithMode.schema, bindList.schema],
    description: 'Where to accept connections: an address, or a list of them.',
    examples: [
      '127.0.0.1:8080',
      ':8080',
      ['127.0.0.1:8080', '[::1]:8080'],
      { address: 'unix:/run/web.sock', mode: '0660' },
    ],
    [expects]: `${expectedBind}, or a list of them`,
    [guesses]: meantBind,
  },
  bind,
  bindList,
);
