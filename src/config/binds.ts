/** An address to listen on, as a text or as a mapping that says more. */
import type { Address } from '../core/contract.ts';
import { parseBind } from './addresses.ts';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';
import type { BindInput } from './schema/schema.ts';
import { parsedAt } from './values.ts';

export function readBind(document: ConfigDocument, path: Path, input: BindInput, fallback: Address): Address {
  const { address: text, mode } = typeof input === 'string' ? { address: input } : input;
  const address = parsedAt(document, placeOfBind(path, input), parseBind(text), undefined);
  if (address === undefined || mode === undefined) return address ?? fallback;
  if ('path' in address) return { ...address, mode: Number.parseInt(mode, 8) };
  document.problem(
    [...path, 'mode'],
    `Key "mode" goes with a unix socket, found ${JSON.stringify(text)}`,
    'key',
  );
  return address;
}

/** Where the text stands. */
export function placeOfBind(path: Path, input: BindInput | undefined): Path {
  return typeof input === 'object' ? [...path, 'address'] : path;
}
