/** Hostile and unlucky bytes: mutations of what real clients sent, in any pieces. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientHelloReader } from '../../../src/core/wire/client-hello.ts';
import { HttpHeadReader } from '../../../src/core/wire/http.ts';
import { ProtocolDetector } from '../../../src/core/wire/protocol-detector.ts';
import { Sniffer } from '../../../src/core/wire/sniffer.ts';
import { captures } from './captures.ts';
import { byteByByte, bytesOf, inPieces, type Reader } from './feeding.ts';
import { alpn, type Extension, helloMessage, inRecords, serverName } from './hello.ts';

const readers: readonly [string, () => Reader<{ readonly state: string }>][] = [
  ['ClientHelloReader', () => new ClientHelloReader()],
  ['HttpHeadReader', () => new HttpHeadReader()],
  ['ProtocolDetector', () => new ProtocolDetector()],
];

const samples: readonly Uint8Array[] = [
  ...captures.map(({ bytes }) => bytes),
  inRecords(helloMessage({ extensions: [serverName('a.test'), alpn('h2')] }), [1, 3, 20]),
  bytesOf('GET http://a.test/ HTTP/1.1\r\nHost: a.test:80\r\nHost: b.test\r\n\r\n'),
  bytesOf('*2\r\n$4\r\nPING\r\n$1\r\nx\r\n'),
  bytesOf('AUTH hunter2\r\n'),
];

/** Changes that keep most of the bytes: one of them is another, some are missing, come twice or are new. */
const mutation = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    byte: fc.nat(255),
  }),
  fc.record({
    kind: fc.constant('cut' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.nat(20),
  }),
  fc.record({
    kind: fc.constant('add' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ maxLength: 8 }),
  }),
);

const mutated = fc
  .tuple(fc.constantFrom(...samples), fc.array(mutation, { maxLength: 4 }))
  .map(([sample, mutations]) => {
    const bytes = [...sample];
    for (const change of mutations) {
      const at = Math.floor(change.at * bytes.length);
      if (change.kind === 'set') bytes[at] = change.byte;
      else if (change.kind === 'cut') bytes.splice(at, change.count);
      else bytes.splice(at, 0, ...change.bytes);
    }
    return Uint8Array.from(bytes);
  });

const hostile = fc.oneof(
  { weight: 4, arbitrary: mutated },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
);
const pieces = fc.array(fc.nat(2000), { maxLength: 6 });

describe.each(readers)('%s', (_, reader) => {
  it('answers the same however the bytes are cut, and never takes an answer back', () => {
    fc.assert(
      fc.property(hostile, pieces, (bytes, ends) => {
        const expected = reader().read(bytes);
        expect(inPieces(reader(), bytes, ends)).toEqual(expected);
        const answers = byteByByte(reader(), bytes);
        expect(answers.at(-1)).toEqual(expected);
        const decided = answers.findIndex(({ state }) => state !== 'incomplete');
        if (decided < 0) return;
        for (const answer of answers.slice(decided)) expect(answer).toBe(answers[decided]);
      }),
      { numRuns: 400 },
    );
  });

  it('does not look at what comes after its answer', () => {
    fc.assert(
      fc.property(hostile, fc.uint8Array({ maxLength: 20 }), (bytes, more) => {
        const answer = reader().read(bytes);
        if (answer.state === 'incomplete') return;
        expect(reader().read(Uint8Array.from([...bytes, ...more]))).toEqual(answer);
      }),
    );
  });
});

describe('ClientHelloReader', () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
  const host = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
  const other = fc.tuple(
    fc.nat(0xffff).filter((type) => type !== 0 && type !== 16),
    fc.array(fc.nat(255), { maxLength: 300 }),
  );

  it('finds the names among any other extensions, in records of any sizes', () => {
    fc.assert(
      fc.property(
        fc.option(host, { nil: undefined }),
        fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }), { maxLength: 4 }),
        fc.array<Extension>(other, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 6 }),
        pieces,
        (sni, names, others, sizes, ends) => {
          const known = [...(sni ? [serverName(sni)] : []), ...(names.length > 0 ? [alpn(...names)] : [])];
          const half = others.length >> 1;
          const extensions = [...others.slice(0, half), ...known, ...others.slice(half)];
          const bytes = inRecords(helloMessage({ extensions }), sizes);
          const expected = { state: 'complete', sni, alpn: names };
          expect(inPieces(new ClientHelloReader(), bytes, ends)).toEqual(expected);
        },
      ),
    );
  });
});

describe('Sniffer', () => {
  it('never changes a fact that it knows, and learns nothing more after the end', () => {
    fc.assert(
      fc.property(hostile, pieces, (bytes, ends) => {
        const sniffer = new Sniffer();
        let before = facts(sniffer);
        for (const end of [...ends.sort((a, b) => a - b), bytes.length]) {
          sniffer.read(bytes.subarray(0, end));
          expect(facts(sniffer)).toEqual(
            facts(sniffer).map((fact, at) => (before[at] === undefined ? fact : before[at])),
          );
          before = facts(sniffer);
        }
        sniffer.end();
        expect(sniffer.protocol).toBeDefined();
        expect(sniffer.facts.isFinal).toBe(true);
      }),
    );
  });
});

const facts = ({ protocol, facts: { sni, alpn, httpHost } }: Sniffer) => [protocol, sni, alpn, httpHost];
