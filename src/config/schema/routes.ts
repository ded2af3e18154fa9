/** The schema of a listener's routes. */
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { protocols } from '../../core/wire/protocol.ts';
import { expectedHostPattern } from '../host-patterns.ts';
import { expectedNetwork } from '../networks.ts';
import { expects, integer, mapping, named, oneOf, text } from './terms.ts';

const hostName = text(expectedHostPattern, {
  description: 'A host name, or *. and a name for all below it.',
  examples: ['www.example.com', '*.example.com'],
});

const conditions = mapping(
  {
    sni: Type.Optional(
      some(hostName, {
        description: 'The server name of a TLS hello.',
        examples: [['api.example.com', '*.api.example.com']],
        [expects]: `${expectedHostPattern}, or a list of them`,
      }),
    ),
    alpn: Type.Optional(
      some(text('a protocol name such as "h2"', { maxLength: 255, description: 'An ALPN protocol name.' }), {
        description: 'What a TLS client offers to speak; behind TLS that ends here, what both agreed on.',
        examples: [['h2'], ['h2', 'http/1.1']],
        [expects]: 'a protocol name such as "h2", or a list of them',
      }),
    ),
    protocol: Type.Optional(
      some(oneOf(protocols, { description: 'A protocol whose clients speak first.' }), {
        description: 'What the first bytes are; mysql and others whose servers speak first can’t be told.',
        examples: ['ssh', ['http', 'tls']],
        [expects]: `one of ${protocols.map((word) => JSON.stringify(word)).join(', ')}, or a list of them`,
      }),
    ),
    httpHost: Type.Optional(
      some(hostName, {
        description: 'The host of an HTTP/1 request, without its port.',
        examples: [['www.example.com']],
        [expects]: `${expectedHostPattern}, or a list of them`,
      }),
    ),
    client: Type.Optional(
      some(text(expectedNetwork, { description: 'A network in CIDR notation, or an address.' }), {
        description: 'Where the client comes from.',
        examples: [['10.0.0.0/8']],
        [expects]: `${expectedNetwork}, or a list of them`,
      }),
    ),
  },
  'What must hold, all of it; of a list, any. Without this key everything matches.',
);

const route = mapping(
  {
    when: Type.Optional(conditions),
    pool: Type.Optional(
      text('the name of a pool', { description: 'The pool that matching clients go to.', examples: ['api'] }),
    ),
    split: Type.Optional(
      named(
        'pool',
        integer(0, 1_000_000, { description: 'Its share beside the others.' }),
        'Pools with weights, instead of one pool: a canary.',
      ),
    ),
  },
  'Clients of a kind, and where they go.',
);

export const routes = Type.Array(route, {
  description:
    'The first that matches wins. First bytes are waited for only where a route that may match asks for them.',
  [expects]: 'a list of routes such as [{ when: { protocol: ssh }, pool: bastion }]',
});

/** One, or a list of them. */
function some<Item extends TSchema>(item: Item, options: TSchemaOptions) {
  return Type.Union([item, Type.Array(item, { minItems: 1, [expects]: 'a list of at least one' })], options);
}
