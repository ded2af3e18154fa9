/** YAML 1.2 text to a tree of nodes. Time and depth are bounded for any text. */
import { Composer, type CST, type Document, Lexer, Parser } from 'yaml';
import { Openings } from './openings.ts';
import { explained, type LibraryError, type SyntaxMistake, syntaxMistake } from './syntax-mistakes.ts';

export interface ComposedYaml {
  readonly contents: Document.Parsed['contents'];
  readonly mistakes: readonly SyntaxMistake[];
}

export function composeYaml(text: string): ComposedYaml {
  const openings = new Openings();
  const tokens = parseTokens(text, openings);
  if (!Array.isArray(tokens)) return { contents: null, mistakes: [tokens] };

  // Duplicate keys are found by the reader: the library compares each with each. Unresolved tags are warnings.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const [document, second] = composer.compose(tokens, true, text.length);
  const wrong = document === undefined ? [] : [...document.errors, ...document.warnings];
  const mistakes = firstOfEachLine(wrong, text).map((error) => explained(error, text, openings));
  if (second !== undefined) {
    const message =
      'Expected one YAML document, found a second; give it a file of its own, or take out the line ---';
    mistakes.push(syntaxMistake(second.range[0], message));
  }
  return { contents: document?.contents ?? null, mistakes };
}

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

function parseTokens(text: string, openings: Openings): CST.Token[] | SyntaxMistake {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    openings.add(lexeme);
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > deepest) return syntaxMistake(parser.offset, 'Nested too deeply');
  }
  openings.end();
  tokens.push(...parser.end());
  return tokens;
}
