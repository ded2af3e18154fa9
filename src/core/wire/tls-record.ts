import { type Judge, mayBe, notThis, type Spoken, speaksTls } from './spoken.ts';

/**
 * A TLS record of the type handshake that begins a ClientHello. Its version is to be ignored (RFC 8446, 5.1), and
 * its length is judged with the hello: what a server may take for one is TLS, well-formed or not. Versions from 16
 * on are none that any server takes.
 */
export function tlsRecord(): Judge {
  let length = 0;
  return (byte, at) => {
    if (at === 0 || at === 2) return mayBeTls;
    if (at === 1) return byte < 16 ? mayBeTls : notThis;
    if (at < 5) {
      length = (length << 8) | byte;
      // An empty record, which some servers pass over, says nothing of what follows.
      return at === 4 && length === 0 ? speaksTls : mayBeTls;
    }
    return byte === 1 ? speaksTls : notThis;
  };
}

/** A warning, which some servers drop to go on with the hello behind it: a record of two bytes, the first a 1. */
export function tlsAlert(): Judge {
  const rest = [0, 2, 1];
  return (byte, at) => {
    if (at === 0 || at === 2) return mayBeTls;
    if (at === 1) return byte < 16 ? mayBeTls : notThis;
    if (byte !== rest[at - 3]) return notThis;
    return at === 5 ? speaksTls : mayBeTls;
  };
}

const mayBeTls: Spoken = mayBe('tls');
