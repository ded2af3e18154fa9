import { type InquiryText, parseInquiry } from '../../config/inquiry.ts';
import type { Inquiry } from '../../core/explain/explanation.ts';
import { failure, json } from '../http.ts';
import { found } from './fields.ts';
import { jsonIn } from './json-body.ts';
import type { Route } from './route.ts';

/** The most of `bytes`, once they are decoded: as many as routes can ever ask for. */
const mostBytes = 65_536;

/** What would become of a client that the body describes. */
export const explain: Route = {
  path: '/api/v1/explain',
  method: 'POST',
  may: 'read',
  // Holds 64 KiB of bytes in base64.
  body: { type: 'application/json', mostBytes: 98_304 },
  reply({ view }, { body }) {
    const inquiry = inquiryIn(
      body,
      view.plan.listeners.map(({ name }) => name),
    );
    return typeof inquiry === 'string' ? failure(400, inquiry) : json(200, view.explain(inquiry));
  },
};

/** The inquiry, or what is wrong with it, in a sentence. */
function inquiryIn(body: Buffer, listeners: readonly string[]): Inquiry | string {
  const read = jsonIn(body);
  if ('mistake' in read) return read.mistake;
  const given = read.value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'Expected a JSON object';
  const fields: GivenFields = { ...given };
  const unknown = Object.keys(fields).find((key) => !keys.includes(key));
  if (unknown !== undefined) return `${unknown}: Expected no other keys than ${keys.join(', ')}`;
  for (const key of texts) {
    const isMissing = fields[key] === undefined && key !== 'listener' && key !== 'client';
    if (!isMissing && typeof fields[key] !== 'string')
      return `${key}: Expected a string, ${found(fields[key])}`;
  }
  if (fields.alpn !== undefined && !isListOfTexts(fields.alpn)) return 'alpn: Expected a list of strings';
  const bytes = typeof fields.bytes === 'string' ? Buffer.from(fields.bytes, 'base64') : undefined;
  if (bytes !== undefined && bytes.toString('base64') !== fields.bytes)
    return 'bytes: Expected base64, with padding';
  if (bytes !== undefined && bytes.length > mostBytes) return `bytes: Expected at most ${mostBytes} bytes`;

  // Each was found to be a string, or not to be there where it need not.
  const inquiry = parseInquiry({ ...fields, bytes } as InquiryText, listeners);
  if (!('key' in inquiry)) return inquiry;
  return `${inquiry.key}: Expected ${inquiry.expected}, ${found(fields[inquiry.key])}`;
}

const texts = ['listener', 'client', 'sni', 'host', 'protocol', 'bytes'] as const;
const keys: readonly string[] = [...texts, 'alpn'];

type GivenFields = { readonly [key in keyof InquiryText]?: unknown };

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
