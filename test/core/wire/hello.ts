/** Builds ClientHellos, well-formed or not, and the records that carry them. */

export interface Shape {
  readonly version?: number;
  readonly sessionId?: number;
  readonly cipherSuites?: readonly number[];
  readonly compressions?: readonly number[];
  /** Each with its type and content; without any at all the hello ends before them. */
  readonly extensions?: readonly Extension[];
}

export type Extension = readonly [type: number, content: readonly number[]];

export function hello(shape: Shape = {}): Uint8Array {
  return inRecords(helloMessage(shape));
}

export function helloMessage(shape: Shape = {}): readonly number[] {
  const { version = 0x0303, sessionId = 32, cipherSuites = [0x1301, 0xc02f], compressions = [0] } = shape;
  const extensions = shape.extensions?.flatMap(([type, content]) => [...uint16(type), ...vector16(content)]);
  return message([
    ...uint16(version),
    ...filler(32),
    ...vector8(filler(sessionId)),
    ...vector16(cipherSuites.flatMap(uint16)),
    ...vector8(compressions),
    ...(extensions === undefined ? [] : vector16(extensions)),
  ]);
}

/** With the header of a handshake message in front. */
export function message(body: readonly number[], type = 1): readonly number[] {
  return [type, body.length >> 16, ...uint16(body.length & 0xffff), ...body];
}

/** The message in records of at most so many bytes each; the last size holds for all that follow. */
export function inRecords(content: readonly number[], sizes: readonly number[] = [2 ** 14]): Uint8Array {
  const records: number[] = [];
  for (let at = 0, index = 0; at < content.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? 1;
    records.push(...record(content.slice(at, at + size)));
    at += size;
  }
  return Uint8Array.from(records);
}

export function record(fragment: readonly number[], type = 22, version = 0x0301): readonly number[] {
  return [type, ...uint16(version), ...vector16(fragment)];
}

export function serverName(name: string, type = 0): Extension {
  return [0, vector16([type, ...vector16(ascii(name))])];
}

export function alpn(...names: readonly string[]): Extension {
  return [16, vector16(names.flatMap((name) => vector8(ascii(name))))];
}

export const vector8 = (content: readonly number[]): readonly number[] => [content.length, ...content];
export const vector16 = (content: readonly number[]): readonly number[] => [
  ...uint16(content.length),
  ...content,
];
export const uint16 = (value: number): readonly number[] => [value >> 8, value & 0xff];
export const filler = (length: number): readonly number[] => new Array<number>(length).fill(0xa5);
export const ascii = (text: string): readonly number[] => [...Buffer.from(text, 'latin1')];
