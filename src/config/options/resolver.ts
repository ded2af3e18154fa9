/** How backends' names are resolved. */
import { parseNameServer } from '../addresses.ts';
import type { ResolverConfig } from '../config.ts';
import { expects } from './json-schema.ts';
import { list, type Option, section } from './option.ts';
import { duration, parsedText } from './terms.ts';

const nameServer = parsedText('the IP address of a name server such as "10.0.0.2:53"', parseNameServer, {
  description: 'IP address of a name server; the port defaults to 53.',
});

const nameServers = list(nameServer, { minItems: 1, [expects]: 'at least one name server' });

const servers: Option<'system' | readonly string[], ResolverConfig['servers']> = {
  schema: {
    anyOf: [{ enum: ['system'] }, nameServers.schema],
    description: "Name servers to ask for backends' names: IP addresses, or those of the system.",
    default: 'system',
    examples: ['system', ['127.0.0.1:53']],
    [expects]: '"system" or a list of name servers such as ["10.0.0.2:53"]',
  },
  default: [],
  read: (input, location) => (input === 'system' ? [] : nameServers.read(input, location)),
};

export const resolver = section(
  "How backends' names are resolved.",
  {
    servers,
    timeout: duration('positive', { description: 'How long an answer may take.', default: 5_000 }),
  },
  ({ servers, timeout }): ResolverConfig => ({ servers, timeoutMs: timeout }),
);
