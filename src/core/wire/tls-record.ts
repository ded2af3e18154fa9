import { type Judge, needMore, needMoreIf, notThis, speaksTls } from './spoken.ts';

/** A TLS record of the type handshake and any version 3.x, with 1 to 16,384 bytes that begin a ClientHello. */
export function tlsRecord(): Judge {
  let length = 0;
  return (byte, at) => {
    switch (at) {
      case 0:
        return needMoreIf(byte === 22);
      case 1:
        return needMoreIf(byte === 3);
      case 2:
        return needMore;
      case 3:
        length = byte << 8;
        return needMoreIf(length <= 2 ** 14);
      case 4:
        length += byte;
        return needMoreIf(length > 0 && length <= 2 ** 14);
      default:
        return byte === 1 ? speaksTls : notThis;
    }
  };
}
