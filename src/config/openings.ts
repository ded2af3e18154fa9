/** Quotes and brackets of a YAML text: where each opens, and whether it ends where people would expect it to. */
export interface Opening {
  readonly offset: number;
  readonly mark: string;
}

interface Quoted extends Opening {
  readonly end: number;
  readonly hasLines: boolean;
}

/** Marks of the library's lexer that stand for no text. */
const flowEnd = '\x18';
const scalarFollows = '\x1f';
const documentFollows = '\x02';

/** To be called with each token of the library's lexer, in order. */
export class Openings {
  #offset = 0;
  #before = '';
  #open: Opening[] = [];
  readonly #unclosed: Opening[] = [];
  readonly #quoted: Quoted[] = [];

  add(piece: string): void {
    if (piece === flowEnd) this.end();
    else if (piece === '[' || piece === '{') this.#open.push({ offset: this.#offset, mark: piece });
    else if (piece === ']' || piece === '}') this.#open.pop();
    else if (/^["']/.test(piece) && this.#before !== scalarFollows) this.#addQuoted(piece);
    this.#before = piece;
    if (piece !== flowEnd && piece !== scalarFollows && piece !== documentFollows) {
      this.#offset += piece.length;
    }
  }

  /** The text ends here: brackets that are open now are never closed. */
  end(): void {
    this.#unclosed.push(...this.#open);
    this.#open = [];
  }

  /** The last bracket that opens before the place, and ends nowhere. */
  bracketBefore(offset: number): Opening | undefined {
    return this.#unclosed.findLast((bracket) => bracket.offset < offset);
  }

  /**
   * The quote that opens a text at whose end the place is, where that text lacks its end or has several lines: then it
   * was probably ended by the quote that opens another.
   */
  quoteBefore(offset: number, text: string): Opening | undefined {
    return this.#quoted.findLast(
      ({ end, hasLines, ...quote }) =>
        hasLines && quote.offset < offset && !text.slice(end, offset).includes('\n'),
    );
  }

  #addQuoted(piece: string): void {
    const mark = piece.slice(0, 1);
    const isEnded = piece.length > 1 && piece.endsWith(mark);
    const end = this.#offset + piece.length;
    this.#quoted.push({ offset: this.#offset, mark, end, hasLines: !isEnded || piece.includes('\n') });
  }
}
