import { errorCode } from '../../../drivers/shared.ts';

/** What went wrong with a name, in words. */
export function readable(error: unknown): Error {
  const code = errorCode(error);
  const sentence = code === undefined ? undefined : sentences.get(code);
  if (sentence !== undefined) return new Error(sentence, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

/** Whether a name server answered that there is nothing of this kind, rather than not at all. */
export function isDenial(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

/** Whether a name server answered that it can't say: glibc's resolver then asks for the next name in line. */
export function isServerFailure(error: unknown): boolean {
  return errorCode(error) === 'ESERVFAIL';
}

/** See "Error codes" in Node's manual of dns. */
const sentences: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'There is no such name'],
  ['ENODATA', 'The name has no records of this kind'],
  ['ETIMEOUT', 'No name server answered'],
  ['ECONNREFUSED', 'No name server could be reached'],
  ['ESERVFAIL', 'The name server failed'],
  ['EREFUSED', 'The name server refused to answer'],
  ['EFORMERR', 'The name server did not understand the question'],
  ['EBADRESP', 'The name server gave an answer that makes no sense'],
  ['EBADNAME', 'This is no name that can be asked for'],
  ['EAI_AGAIN', 'The system could not resolve the name for now'],
]);
