/** Parses the description of a client, for `explain`. */
import { addressText, addressWords } from '../core/addresses.ts';
import type { Inquiry } from '../core/explain/explanation.ts';
import { type Protocol, protocols } from '../core/wire/protocol.ts';
import { parseHostPattern } from './host-patterns.ts';
import { orList } from './options/terms.ts';
import { expected, type Parsed, parsed } from './parsed.ts';

export interface InquiryText {
  readonly listener: string;
  readonly client: string;
  readonly sni?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly host?: string | undefined;
  readonly protocol?: string | undefined;
  readonly bytes?: Uint8Array | undefined;
}

/** A mistake in one key: a noun phrase says what was expected. */
export interface InquiryMistake {
  readonly key: keyof InquiryText;
  readonly expected: string;
}

/** `listeners` are the names of all listeners. */
export function parseInquiry(
  { listener, client, sni, alpn, host, protocol, bytes }: InquiryText,
  listeners: readonly string[],
): Inquiry | InquiryMistake {
  if (!listeners.includes(listener)) {
    const known = [...listeners.slice(0, 10), ...(listeners.length > 10 ? ['…'] : [])].join(', ');
    return { key: 'listener', expected: `the name of a listener${known === '' ? '' : ` (${known})`}` };
  }
  const address = parseClient(client);
  if (!address.ok) return { key: 'client', expected: address.expected };
  const serverName = sni === undefined ? undefined : parseHostName(sni);
  if (serverName?.ok === false) return { key: 'sni', expected: serverName.expected };
  const httpHost = host === undefined ? undefined : parseHostName(host);
  if (httpHost?.ok === false) return { key: 'host', expected: httpHost.expected };
  if (alpn?.some((one) => one === '' || Buffer.byteLength(one) > 255)) {
    return { key: 'alpn', expected: 'names of protocols, such as h2 and http/1.1' };
  }
  if (protocol !== undefined && !isProtocol(protocol)) {
    return { key: 'protocol', expected: orList(protocols) };
  }
  return {
    listener,
    client: { address: address.value, port: 0 },
    sni: serverName?.value,
    alpn,
    httpHost: httpHost?.value,
    protocol,
    bytes,
  };
}

/** In the canonical text that drivers give. */
function parseClient(text: string): Parsed<string> {
  const words = addressWords(text);
  if (text === 'unix') return parsed(text);
  return words === undefined
    ? expected('an IP address such as "10.1.2.3" or "::1", or "unix"')
    : parsed(addressText(words));
}

function parseHostName(text: string): Parsed<string> {
  const name = text.startsWith('*.') ? undefined : parseHostPattern(text);
  return name?.ok ? name : expected('a host name such as "www.example.com"');
}

function isProtocol(text: string): text is Protocol {
  return protocols.some((protocol) => protocol === text);
}
