/** YAML 1.2 text to a tree of nodes. Time and depth are bounded for any text. */
import { Composer, type CST, type Document, Lexer, Parser, type YAMLParseError } from 'yaml';

export interface ComposedYaml {
  readonly contents: Document.Parsed['contents'];
  readonly mistakes: readonly SyntaxMistake[];
}

export interface SyntaxMistake {
  readonly offset: number;
  readonly message: string;
  /** The same without a word of the text, which may hold a secret. */
  readonly redacted: string;
}

export function composeYaml(text: string): ComposedYaml {
  const tokens = parseTokens(text);
  if (!Array.isArray(tokens)) return { contents: null, mistakes: [tokens] };

  // Duplicate keys are found by the reader: the library compares each with each. Unresolved tags are warnings.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const [document, second] = composer.compose(tokens, true, text.length);
  const wrong = document === undefined ? [] : [...document.errors, ...document.warnings];
  const mistakes = firstOfEachLine(wrong, text).map((error) => explain(error, text));
  if (second !== undefined) {
    mistakes.push(mistake(second.range[0], 'Expected one YAML document, found a second'));
  }
  return { contents: document?.contents ?? null, mistakes };
}

type LibraryError = Pick<YAMLParseError, 'code' | 'message' | 'pos'>;

/** Later mistakes of a text or a line mostly follow from the first. */
function firstOfEachLine(errors: readonly LibraryError[], text: string): readonly LibraryError[] {
  const kept: LibraryError[] = [];
  for (const error of errors) {
    const before = kept.at(-1);
    if (before === undefined || text.slice(before.pos[0], error.pos[0]).includes('\n')) kept.push(error);
    if (kept.length === 10) break;
  }
  return kept;
}

/**
 * Composing recurses, and in a deep enough tree it ends the process: a regular expression that V8 compiles
 * on the last of the stack aborts instead of throwing. So the depth is bounded before.
 */
const deepest = 100;

function parseTokens(text: string): CST.Token[] | SyntaxMistake {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > deepest) return mistake(parser.offset, 'Nested too deeply');
  }
  tokens.push(...parser.end());
  return tokens;
}

function explain({ code, message, pos }: LibraryError, text: string): SyntaxMistake {
  const offset = Math.min(pos[0], text.length);
  if (code === 'TAB_AS_INDENT') return mistake(offset, 'Expected spaces as indentation, found a tab');
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
  // The library quotes the text behind a colon; in one message there is no colon.
  const redacted = code === 'BAD_DQ_ESCAPE' ? 'Invalid escape sequence' : message.replace(/: .*/s, '');
  return mistake(offset, `Not valid YAML: ${message}${hint(line)}`, `Not valid YAML: ${redacted}`);
}

function mistake(offset: number, message: string, redacted = message): SyntaxMistake {
  return { offset, message, redacted };
}

/** What to write instead of a text that YAML reads otherwise than people mean it. */
function hint(line: string): string {
  if (/(?:^|[\s:-])\[[0-9a-fA-F:.]*\]:[0-9]/.test(line)) return '; quote an IPv6 address, as in "[::1]:8080"';
  if (/[[{].*\$\{/.test(line)) return `; quote a substitution inside { } or [ ], as in "\${NAME}"`;
  return '';
}
