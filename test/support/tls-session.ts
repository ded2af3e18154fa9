/**
 * A client's TLS session, as Node gives it: SSL_SESSION of OpenSSL in DER (SSL_SESSION_ASN1 in its ssl/ssl_asn1.c), and
 * since Node 22 the host ahead of it.
 */

/** The same session with another ticket. */
export function withTicket(session: Buffer, ticket: Buffer): Buffer {
  return changed(session, (field) => (field.tag === ticketTag ? element(octets, ticket) : field.body));
}

export function ticketOf(session: Buffer): Buffer {
  const field = elements(session).find(({ tag }) => tag === ticketTag);
  const [ticket] = field === undefined ? [] : parse(field.body);
  if (ticket === undefined) throw new Error('The session has no ticket');
  return ticket.body;
}

/** The same session, but with a secret that its server does not know. */
export function withOtherSecret(session: Buffer): Buffer {
  let octetStrings = 0;
  return changed(session, ({ tag, body }) => {
    if (tag !== octets || ++octetStrings !== secretIsOctetString) return body;
    return Buffer.from(body.map((byte) => byte ^ 1));
  });
}

interface Element {
  readonly tag: number;
  readonly body: Buffer;
}

const sequence = 0x30;
const octets = 0x04;
/** EXPLICIT [10]. */
const ticketTag = 0xaa;
/** Behind those of the cipher and of the session's number. */
const secretIsOctetString = 3;

function changed(session: Buffer, bodyOf: (field: Element) => Buffer): Buffer {
  const fields = elements(session).map((field) => element(field.tag, bodyOf(field)));
  const ahead = session.subarray(0, startOf(session));
  return Buffer.concat([ahead, element(sequence, Buffer.concat(fields))]);
}

function elements(session: Buffer): readonly Element[] {
  return parse(session.subarray(startOf(session))).flatMap(({ body }) => parse(body));
}

/** It is longer than 255 bytes. */
function startOf(session: Buffer): number {
  return session.indexOf(Buffer.from([sequence, 0x82]));
}

function parse(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const short = bytes[at + 1] ?? 0;
    const lengthBytes = short < 0x80 ? 0 : short - 0x80;
    const length = lengthBytes === 0 ? short : bytes.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    found.push({ tag: bytes[at] ?? 0, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** Its length in four bytes, which OpenSSL reads too. */
function element(tag: number, body: Buffer): Buffer {
  const header = Buffer.from([tag, 0x83, 0, 0, 0]);
  header.writeUIntBE(body.length, 2, 3);
  return Buffer.concat([header, body]);
}
