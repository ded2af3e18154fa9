/** Ways to give bytes to a reader. */

/** What answers; an answer other than `incomplete` stays. */
export interface Reader<Answer> {
  read(bytes: Uint8Array): Answer;
}

/** The answers after each byte, and at last once more with nothing new. */
export function byteByByte<Answer>(reader: Reader<Answer>, bytes: Uint8Array): readonly Answer[] {
  const answers: Answer[] = [];
  for (let end = 1; end <= bytes.length; end++) answers.push(reader.read(bytes.subarray(0, end)));
  answers.push(reader.read(bytes));
  return answers;
}

/** The last answer when the bytes come in pieces that end at the given places. */
export function inPieces<Answer>(reader: Reader<Answer>, bytes: Uint8Array, ends: readonly number[]): Answer {
  for (const end of [...ends].sort((a, b) => a - b)) reader.read(bytes.subarray(0, end));
  return reader.read(bytes);
}

/** How often each byte is looked at while they come one by one. */
export function looksByteByByte<Answer>(reader: Reader<Answer>, bytes: Uint8Array): readonly number[] {
  const looks = new Array<number>(bytes.length).fill(0);
  for (let end = 1; end <= bytes.length; end++) reader.read(watched(bytes.subarray(0, end), looks));
  return looks;
}

function watched(bytes: Uint8Array, looks: number[]): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      const at = Number(key);
      if (target[at] !== undefined) looks[at] = (looks[at] ?? 0) + 1;
      return Reflect.get(target, key, target);
    },
  });
}

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
