/** PROXY protocol, from clients and to backends. */
import type { AddressRange } from '../../core/access/address-range.ts';
import { compileAddressSet } from '../../core/access/address-set.ts';
import type { ProxyProtocolPolicy, SentProxyProtocol } from '../../core/plan.ts';
import { meantWord } from '../guesses.ts';
import { expectedNetwork, meantNetwork, parseNetwork } from '../networks.ts';
import { parsed } from '../parsed.ts';
import { expects, guesses } from './json-schema.ts';
import { type Input, list, mapping, optional, orOff, type Reader, withDefault } from './option.ts';
import { duration, networks, oneOf, parsedText } from './terms.ts';

const trusted = parsedText<AddressRange | 'unix'>(
  expectedNetwork,
  (text) => (text === 'unix' ? parsed('unix') : parseNetwork(text)),
  { description: 'A network in CIDR notation, or an address.', [guesses]: meantNetwork },
);

const accepted = mapping(
  'How.',
  {
    mode: oneOf(['off', 'required', 'optional'], {
      description: 'optional takes who sends no header for itself.',
    }),
    from: optional(
      networks(trusted, {
        minItems: 1,
        description:
          'Whose headers are believed: the proxies in front of this one; "unix" is whoever may open a unix socket.',
        examples: [['10.0.0.0/8'], ['unix']],
      }),
    ),
    timeout: duration('positive', {
      description: 'Within this the header must have come in full.',
      default: 3_000,
    }),
  },
  ({ mode, from, timeout }, location): ProxyProtocolPolicy | 'off' => {
    if (mode === 'off') return 'off';
    if (from === undefined) {
      location.problem('Missing key "from", the proxies whose headers are believed', 'key');
    }
    return {
      mode,
      from: compileAddressSet(from?.filter((one) => one !== 'unix') ?? []),
      fromUnix: from?.includes('unix') ?? false,
      timeoutMs: timeout,
    };
  },
);

export const acceptedProxyProtocol = withDefault(
  orOff(
    accepted,
    '"off" or a mapping with "mode" and "from"',
    {
      description: 'Learns the real client from a PROXY protocol header, version 1 or 2.',
      default: 'off',
      examples: ['off', { mode: 'required', from: ['10.0.0.0/8'] }],
    },
    '{ mode: required, from: [10.0.0.0/8] }',
  ),
  'off' as const,
);

/** `true` asks for the first version in Traefik, as `send-proxy` does in HAProxy. */
const otherVersions = { true: 'v1', on: 'v1', yes: 'v1', 1: 'v1', 2: 'v2', false: 'off', no: 'off' } as const;

const version = oneOf(['off', 'v1', 'v2'], { description: 'The version of the header.' }, otherVersions);

const sent = mapping(
  'The version, and what else is told.',
  {
    version,
    include: withDefault(
      list(oneOf(['sni', 'alpn', 'unique-id', 'crc32c'], { description: 'Something that v2 can carry.' }), {
        uniqueItems: true,
        description: 'v2: what else is told. The unique id is in the log line too.',
        examples: [['sni', 'unique-id']],
        [expects]: 'a list of "sni", "alpn", "unique-id" and "crc32c", each once',
      }),
      [],
    ),
  },
  ({ version, include }, location): SentProxyProtocol | 'off' => {
    if (version === 'off') return 'off';
    if (version === 'v1' && include.length > 0) {
      location.at('include').problem('Key "include" goes with version "v2", found version "v1"', 'key');
    }
    return { version, include };
  },
);

type SentInput = Input<typeof version> | Input<typeof sent>;

const sentInEitherForm: Reader<SentInput, SentProxyProtocol | 'off'> = {
  schema: {
    anyOf: [version.schema, sent.schema],
    description: 'Tells backends who the client is, ahead of its bytes. Health checks then say LOCAL.',
    default: 'off',
    examples: ['off', 'v1', 'v2', { version: 'v2', include: ['sni', 'unique-id'] }],
    [expects]: '"off", "v1", "v2" or a mapping',
    [guesses]: meantWord(['off', 'v1', 'v2'], otherVersions),
  },
  read: (input, location) => sent.read(typeof input === 'string' ? { version: input } : input, location),
};

export const sentProxyProtocol = withDefault(sentInEitherForm, 'off' as const);
