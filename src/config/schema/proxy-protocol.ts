/** The schema of PROXY protocol, from clients and to backends. */
import Type from 'typebox';
import { defaultProxyProtocolTimeoutMs } from '../defaults.ts';
import { duration, expects, mapping, networks, oneOf } from './terms.ts';

export const acceptedProxyProtocol = Type.Union(
  [
    Type.Enum(['off']),
    mapping(
      {
        mode: oneOf(['off', 'required', 'optional'], {
          description: 'optional takes who sends no header for itself.',
        }),
        from: Type.Optional(
          networks({
            minItems: 1,
            description:
              'Whose headers are believed: the proxies in front of this one; "unix" is whoever may open a unix socket.',
            examples: [['10.0.0.0/8'], ['unix']],
          }),
        ),
        timeout: Type.Optional(
          duration('positive', {
            description: 'Within this the header must have come in full.',
            default: defaultProxyProtocolTimeoutMs,
          }),
        ),
      },
      'How.',
    ),
  ],
  {
    description: 'Learns the real client from a PROXY protocol header, version 1 or 2.',
    default: 'off',
    examples: ['off', { mode: 'required', from: ['10.0.0.0/8'] }],
    [expects]: '"off" or a mapping with "mode" and "from"',
  },
);

const version = oneOf(['off', 'v1', 'v2'], { description: 'The version of the header.' });

export const sentProxyProtocol = Type.Union(
  [
    version,
    mapping(
      {
        version,
        include: Type.Optional(
          Type.Array(
            oneOf(['sni', 'alpn', 'unique-id', 'crc32c'], { description: 'Something that v2 can carry.' }),
            {
              uniqueItems: true,
              description: 'v2: what else is told. The unique id is in the log line too.',
              examples: [['sni', 'unique-id']],
              [expects]: 'a list of "sni", "alpn", "unique-id" and "crc32c", each once',
            },
          ),
        ),
      },
      'The version, and what else is told.',
    ),
  ],
  {
    description: 'Tells backends who the client is, ahead of its bytes. Health checks then say LOCAL.',
    default: 'off',
    examples: ['off', 'v1', 'v2', { version: 'v2', include: ['sni', 'unique-id'] }],
    [expects]: '"off", "v1", "v2" or a mapping',
  },
);
