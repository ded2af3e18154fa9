import { firstWord } from './first-word.ts';
import {
  type ByteMatcher,
  type Detection,
  mayBe,
  mismatch,
  speaksPostgres,
  speaksRedis,
  speaksTls,
} from './protocol.ts';
import { isBlank, isDigit, isTokenByte } from './text.ts';

/**
 * Tells by its first bytes what a client speaks, from as few of them as make it certain, and until then what it may
 * speak: the first byte leaves few candidates. The hello of SSL 2.0, which has no room for a name, is none of them.
 */
export class ProtocolDetector {
  #at = 0;
  #matcher: ByteMatcher | undefined;
  #answer: Detection = anything;

  /** Takes all bytes from the first one on, again whenever there are more; each is looked at once. */
  read(bytes: Uint8Array): Detection {
    while (this.#answer.state === 'incomplete' && this.#at < bytes.length) {
      const byte = bytes[this.#at] ?? 0;
      this.#matcher ??= matcherFor(byte);
      this.#answer = this.#matcher(byte, this.#at++);
    }
    return this.#answer;
  }
}

function matcherFor(first: number): ByteMatcher {
  if (first === 0x16) return tlsRecord();
  if (first === 0x15) return tlsAlert();
  if (first === 0x00) return postgresPacket();
  // A letter of methods, too.
  if (first === asterisk) return either(firstWord(), redisArray());
  return isTokenByte(first) || isBlank(first) ? firstWord() : () => mismatch;
}

/** Feeds several matchers, until one of them is certain or all have failed. */
function either(...matchers: readonly ByteMatcher[]): ByteMatcher {
  let left = matchers;
  return (byte, at) => {
    const answers = left.map((matcher) => matcher(byte, at));
    const certain = answers.find(({ state }) => state === 'complete');
    if (certain !== undefined) return certain;
    left = left.filter((_, index) => answers[index]?.state === 'incomplete');
    const protocols = answers.flatMap((answer) => (answer.state === 'incomplete' ? answer.mayBe : []));
    return left.length === 0 ? mismatch : mayBe(...protocols);
  };
}

const anything = mayBe('ssh', 'tls', 'http', 'postgres', 'redis');
const asterisk = 0x2a;

/**
 * A TLS record of the type handshake that begins a ClientHello. Its version is to be ignored (RFC 8446, 5.1), and
 * its length is judged with the hello: what a server may take for one is TLS, well-formed or not. Versions from 16
 * on are none that any server takes.
 */
function tlsRecord(): ByteMatcher {
  let length = 0;
  return (byte, at) => {
    if (at === 0 || at === 2) return mayBeTls;
    if (at === 1) return byte < 16 ? mayBeTls : mismatch;
    if (at < 5) {
      length = (length << 8) | byte;
      // An empty record, which some servers pass over, says nothing of what follows.
      return at === 4 && length === 0 ? speaksTls : mayBeTls;
    }
    return byte === 1 ? speaksTls : mismatch;
  };
}

/** A warning, which some servers drop to go on with the hello behind it: a record of two bytes, the first a 1. */
function tlsAlert(): ByteMatcher {
  const rest = [0, 2, 1];
  return (byte, at) => {
    if (at === 0 || at === 2) return mayBeTls;
    if (at === 1) return byte < 16 ? mayBeTls : mismatch;
    if (byte !== rest[at - 3]) return mismatch;
    return at === 5 ? speaksTls : mayBeTls;
  };
}

const mayBeTls: Detection = mayBe('tls');

/**
 * The first packet of a PostgreSQL client: its length in four bytes, itself included, then four bytes that say
 * what it is (PostgreSQL, "Frontend/Backend Protocol", "Message Formats").
 */
function postgresPacket(): ByteMatcher {
  let length = 0;
  let candidates = packets;
  return (byte, at) => {
    if (at < 4) length = length * 256 + byte;
    // No packet is longer than two bytes can say.
    if (at < 3) return mayBePostgresIf(at === 2 || length === 0);
    candidates = candidates.filter(({ shortest, longest, code }) =>
      at === 3 ? length >= shortest && length <= longest : (code[at - 4] ?? byte) === byte,
    );
    return at === 7 && candidates.length > 0 ? speaksPostgres : mayBePostgresIf(candidates.length > 0);
  };
}

function mayBePostgresIf(fits: boolean): Detection {
  return fits ? mayBePostgres : mismatch;
}

const mayBePostgres = mayBe('postgres');

interface Packet {
  readonly shortest: number;
  readonly longest: number;
  /** How the four bytes after the length begin. */
  readonly code: readonly number[];
}

const packets: readonly Packet[] = [
  // SSLRequest, 80877103, and GSSENCRequest, 80877104.
  { shortest: 8, longest: 8, code: [0x04, 0xd2, 0x16, 0x2f] },
  { shortest: 8, longest: 8, code: [0x04, 0xd2, 0x16, 0x30] },
  // CancelRequest, 80877102, with a key of 4 bytes, or up to 256 since version 3.2.
  { shortest: 16, longest: 268, code: [0x04, 0xd2, 0x16, 0x2e] },
  // StartupMessage of a version 3.x: at least the zero after its parameters, at most what servers take.
  { shortest: 9, longest: 10_004, code: [0x00, 0x03] },
];

/**
 * What Redis clients send: `*<n>\r\n$`, an array of bulk strings. Its n has at most the seven digits of 1,048,576,
 * the most that Redis takes, and an array without elements asks for nothing.
 */
function redisArray(): ByteMatcher {
  let previous = 0;
  return (byte, at) => {
    const before = previous;
    previous = byte;
    if (at === 0) return mayBeRedisIf(byte === asterisk);
    if (at === 1) return mayBeRedisIf(isDigit(byte) && byte !== zero);
    if (isDigit(byte)) return mayBeRedisIf(isDigit(before) && at <= 7);
    if (byte === carriageReturn) return mayBeRedisIf(isDigit(before));
    if (byte === lineFeed) return mayBeRedisIf(before === carriageReturn);
    return byte === dollar && before === lineFeed ? speaksRedis : mismatch;
  };
}

function mayBeRedisIf(fits: boolean): Detection {
  return fits ? mayBeRedis : mismatch;
}

const mayBeRedis = mayBe('redis');
const zero = 0x30;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dollar = 0x24;
