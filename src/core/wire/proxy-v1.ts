/** PROXY protocol version 1: one line of text, as `PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n`. */
import { type AddressWords, addressText, addressWords, ipv6Text, isIpv4 } from '../addresses.ts';
import type { ProxiedEnd, ProxiedEnds, ProxyHeader, ProxyParseResult } from './proxy-header.ts';
import { utf8Bytes } from './text.ts';

export const v1Signature = utf8Bytes('PROXY ');

/** Its CRLF included. The longest by the specification is UNKNOWN with two IPv6 addresses. */
const longestLineBytes = 107;

/** Reads the line after its signature, each byte once. */
export class LineReader {
  #next = v1Signature.length;

  read(bytes: Uint8Array): ProxyParseResult {
    const end = Math.min(bytes.length, longestLineBytes);
    for (; this.#next < end; this.#next++) {
      const endsLine = bytes[this.#next - 1] === carriageReturn;
      const isLineFeed = bytes[this.#next] === lineFeed;
      if (endsLine !== isLineFeed) return { state: 'broken' };
      if (isLineFeed) return readLine(bytes.subarray(0, this.#next + 1));
    }
    return { state: end < longestLineBytes ? 'incomplete' : 'broken' };
  }
}

/** A line, with its CRLF. Where a version 1 header cannot say who the client is, it says so. */
export function encodeLine({ client, destination }: ProxiedEnds): Uint8Array<ArrayBuffer> {
  const from = addressWords(client.address);
  const to = addressWords(destination.address);
  if (from === undefined || to === undefined) return encodeUnknownLine();
  const [family, text] = isIpv4(from) && isIpv4(to) ? ['TCP4', addressText] : ['TCP6', ipv6Text];
  return utf8Bytes(`PROXY ${family} ${text(from)} ${text(to)} ${client.port} ${destination.port}\r\n`);
}

export function encodeUnknownLine(): Uint8Array<ArrayBuffer> {
  return utf8Bytes('PROXY UNKNOWN\r\n');
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

function readLine(line: Uint8Array): ProxyParseResult {
  const header = readFields(String.fromCharCode(...line.subarray(v1Signature.length, -2)).split(' '));
  return header === undefined ? { state: 'broken' } : { state: 'complete', header, length: line.length };
}

function readFields(fields: readonly string[]): ProxyHeader | undefined {
  const [protocol, source = '', target = '', sourcePort = '', targetPort = ''] = fields;
  if (protocol === 'UNKNOWN') return { source: 'own' };
  if ((protocol !== 'TCP4' && protocol !== 'TCP6') || fields.length !== 5) return undefined;
  const client = readEnd(protocol, source, sourcePort);
  const destination = readEnd(protocol, target, targetPort);
  if (client === undefined || destination === undefined) return undefined;
  return { source: 'proxied', client, destination };
}

function readEnd(protocol: 'TCP4' | 'TCP6', address: string, port: string): ProxiedEnd | undefined {
  const words = protocol === 'TCP4' ? ipv4Words(address) : ipv6Words(address);
  if (words === undefined || !/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 0xffff) return undefined;
  return { address: addressText(words), port: Number(port) };
}

function ipv4Words(text: string): AddressWords | undefined {
  return text.includes(':') ? undefined : addressWords(text);
}

/**
 * Whatever the specification calls canonical, in either case and with or without `::`: not all who send it
 * shorten as RFC 5952 wants. A zone says nothing to another machine and is refused.
 */
function ipv6Words(text: string): AddressWords | undefined {
  return text.includes(':') && !text.includes('%') ? addressWords(text) : undefined;
}
