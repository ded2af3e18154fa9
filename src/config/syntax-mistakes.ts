/**
 * What the YAML library finds wrong, said to people: at the line that has to be changed, and with what would do. The
 * library names the place where it can't go on, which is often behind it.
 */
import type { YAMLParseError } from 'yaml';
import { indentation, indentationsAbove, isSilent, lineAt, lineBehind } from './lines-of-text.ts';
import type { Openings } from './openings.ts';

export interface SyntaxMistake {
  readonly offset: number;
  readonly message: string;
  /** The same without a word of the text, which may hold a secret. */
  readonly redacted: string;
}

export type LibraryError = Pick<YAMLParseError, 'code' | 'message' | 'pos'>;

interface Found {
  readonly error: LibraryError;
  readonly offset: number;
  readonly text: string;
  readonly openings: Openings;
}

/** A longer line is no mistyped key and its value. */
const mostShown = 100;

type Diagnosis = (found: Found) => SyntaxMistake | undefined;

/** What a mistake is said to be; the first that can tell has the word. */
const explanations: readonly Diagnosis[] = [
  tab,
  openQuote,
  openBracket,
  reservedStart,
  twoColons,
  noColon,
  wrongIndentation,
  inWordsOfTheLibrary,
];

export function explained(error: LibraryError, text: string, openings: Openings): SyntaxMistake {
  const found = { error, text, openings, offset: Math.min(error.pos[0], text.length) };
  for (const explain of explanations) {
    const mistake = explain(found);
    if (mistake !== undefined) return mistake;
  }
  return syntaxMistake(found.offset, 'Not valid YAML');
}

/** `example` is of the text, and left out where that may hold a secret. */
export function syntaxMistake(offset: number, message: string, example = ''): SyntaxMistake {
  return { offset, message: message + example, redacted: message };
}

function tab({ error, offset }: Found): SyntaxMistake | undefined {
  if (error.code !== 'TAB_AS_INDENT') return undefined;
  return syntaxMistake(offset, 'Expected spaces as indentation, found a tab');
}

function openQuote({ offset, text, openings }: Found): SyntaxMistake | undefined {
  const quote = openings.quoteBefore(offset, text);
  if (quote === undefined) return undefined;
  const { mark } = quote;
  const { start, text: line } = lineAt(text, quote.offset);
  const ended = line
    .slice(quote.offset - start, quote.offset - start + mostShown)
    .replace(/ +#.*$/, '')
    .trimEnd();
  return syntaxMistake(quote.offset, `Expected a second ${mark} in the line`, `, as in ${ended}${mark}`);
}

function openBracket({ offset, openings }: Found): SyntaxMistake | undefined {
  const bracket = openings.bracketBefore(offset);
  if (bracket === undefined) return undefined;
  const end = bracket.mark === '[' ? ']' : '}';
  return syntaxMistake(
    bracket.offset,
    `Expected a ${end} for this ${bracket.mark}, found none before the next key or the end`,
  );
}

function reservedStart({ error, offset, text }: Found): SyntaxMistake | undefined {
  if (error.code !== 'BAD_SCALAR_START') return undefined;
  const start = text.slice(offset, offset + 1);
  const word = /^[^\s,[\]{}]*/.exec(text.slice(offset, offset + 60))?.[0] ?? start;
  return syntaxMistake(
    offset,
    `Expected quotes around a text that begins with ${start}`,
    `, as in ${JSON.stringify(word)}`,
  );
}

/** `a: b: c`. */
function twoColons({ error, offset, text }: Found): SyntaxMistake | undefined {
  if (error.code !== 'BLOCK_AS_IMPLICIT_KEY') return undefined;
  const { start, text: line } = lineAt(text, offset);
  const [, value, behind = ''] = /^([^\s:]+): +(\S.*)$/.exec(line.slice(offset - start)) ?? [];
  if (value === undefined || offset === start + indentation(line)) return undefined;
  const example = /^[a-zA-Z]\w*$/.test(value) ? `{ ${value}: ${behind} }` : `${value}:${behind}`;
  return syntaxMistake(
    offset,
    'Expected one key and its value, found a second ": "',
    `; did you mean ${example}?`,
  );
}

/** `pool:app`, `pool = app` and `pool app` are no keys with a value. */
function noColon({ error, offset, text }: Found): SyntaxMistake | undefined {
  if (error.code !== 'MISSING_CHAR' && error.code !== 'MULTILINE_IMPLICIT_KEY') return undefined;
  const line = lineAt(text, offset).text.trimStart().slice(0, mostShown);
  const [, key, sign = '', value = ''] =
    /^(?:- +)*([A-Za-z][\w.-]*)(:| *= *| +|$)([^:\s].*)?$/.exec(line.replace(/ +#.*$/, '').trimEnd()) ?? [];
  if (key === undefined) return undefined;
  const expected = sign === ':' ? 'a blank behind the colon' : 'a colon and a blank behind the key';
  return syntaxMistake(
    offset,
    `Expected ${expected}`,
    `, as in ${`${key}: ${value.replace(/;$/, '')}`.trimEnd()}`,
  );
}

/** A line that begins at a column where none above it does, or further in than it may. */
function wrongIndentation({ error, offset, text }: Found): SyntaxMistake | undefined {
  if (error.code !== 'BAD_INDENT' && error.code !== 'BLOCK_AS_IMPLICIT_KEY') return undefined;
  const at = lineAt(text, offset);
  const isInside = text.slice(at.start, offset).trim() !== '';
  const line = isInside || isSilent(at.text) ? lineBehind(text, offset) : at;
  if (line === undefined) return undefined;
  const blanks = indentation(line.text);
  const above = indentationsAbove(text, line);
  const nearest = [above.findLast((one) => one < blanks), above.find((one) => one > blanks)].filter(
    (one) => one !== undefined,
  );
  if (nearest.length === 0 || above.includes(blanks)) return undefined;
  return syntaxMistake(
    line.start + blanks,
    `Expected ${nearest.join(' or ')} spaces before this, as lines above have, found ${blanks}`,
  );
}

function inWordsOfTheLibrary({ error: { code, message }, offset, text }: Found): SyntaxMistake {
  // The library quotes the text behind a colon; in one message there is no colon.
  const redacted = code === 'BAD_DQ_ESCAPE' ? 'Invalid escape sequence' : message.replace(/: .*/s, '');
  const { text: line } = lineAt(text, offset);
  return {
    offset,
    message: `Not valid YAML: ${message}${hint(line)}`,
    redacted: `Not valid YAML: ${redacted}`,
  };
}

/** What to write instead of a text that YAML reads otherwise than people mean it. */
function hint(line: string): string {
  if (/(?:^|[\s:-])\[[0-9a-fA-F:.]*\]:[0-9]/.test(line)) return '; quote an IPv6 address, as in "[::1]:8080"';
  if (/[[{].*\$\{/.test(line)) return `; quote a substitution inside { } or [ ], as in "\${NAME}"`;
  return '';
}
