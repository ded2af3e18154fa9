/** A name server for tests: UDP on loopback, and a zone that may change while it runs (RFC 1035). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string; readonly ttl?: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    };

/** What is answered for a name: records, an error for all its types, or nothing at all. */
export type DnsAnswer = readonly DnsRecord[] | 'nxdomain' | 'servfail' | 'silent';

export interface DnsServer {
  /** `address:port`, as a resolver wants it. */
  readonly address: string;
  /** By `app.test` for all types, or `AAAA app.test` for one. Names that are absent do not exist. */
  readonly zone: Map<string, DnsAnswer>;
  /** Every question that came, as `A app.test`. */
  readonly questions: readonly string[];
  close(): Promise<void>;
}

export async function startDnsServer(zone: Record<string, DnsAnswer> = {}): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const answers = new Map(Object.entries(zone));
  const questions: string[] = [];
  socket.on('message', (query, from) => {
    const question = readQuestion(query);
    const text = `${typeNames.get(question.type) ?? question.type} ${question.name}`;
    questions.push(text);
    const answer = answers.get(text) ?? answers.get(question.name) ?? 'nxdomain';
    if (answer !== 'silent') socket.send(response(query, question, answer), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    zone: answers,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

const typeCodes = { A: 1, AAAA: 28, SRV: 33 } as const;
const typeNames = new Map<number, string>(Object.entries(typeCodes).map(([name, code]) => [code, name]));
const headerBytes = 12;

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where it ends in the message. */
  readonly end: number;
}

function readQuestion(query: Buffer): Question {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function response(query: Buffer, question: Question, answer: Exclude<DnsAnswer, 'silent'>): Buffer {
  const records = typeof answer === 'string' ? [] : answer;
  const matching = records.filter(({ type }) => typeCodes[type] === question.type);
  const code = { nxdomain: 3, servfail: 2 };
  const header = Buffer.alloc(headerBytes);
  query.copy(header, 0, 0, 2);
  // A response, recursion desired and available.
  header.writeUInt16BE(0x8180 | (typeof answer === 'string' ? code[answer] : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(matching.length, 6);
  return Buffer.concat([header, query.subarray(headerBytes, question.end), ...matching.map(encoded)]);
}

function encoded(record: DnsRecord): Buffer {
  const body = bodyOf(record);
  const head = Buffer.alloc(12);
  // The name is a pointer to the question's.
  head.writeUInt16BE(0xc000 | headerBytes, 0);
  head.writeUInt16BE(typeCodes[record.type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE('ttl' in record ? (record.ttl ?? 0) : 0, 6);
  head.writeUInt16BE(body.length, 10);
  return Buffer.concat([head, body]);
}

function bodyOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return ipv6Bytes(record.address);
    case 'SRV': {
      const numbers = Buffer.alloc(6);
      for (const [index, number] of [record.priority, record.weight, record.port].entries()) {
        numbers.writeUInt16BE(number, index * 2);
      }
      return Buffer.concat([numbers, nameBytes(record.target)]);
    }
  }
}

/** All eight groups, or some of them around one `::`. */
function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const zeros = new Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const all = [...groups(head), ...zeros, ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([...parts, Buffer.from([0])]);
}
