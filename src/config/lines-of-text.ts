/** Lines of a YAML text, and by how many blanks they are indented. */
export interface Line {
  readonly start: number;
  /** Without its end. */
  readonly text: string;
}

/** The line of an offset. */
export function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  return { start, text: text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '') };
}

/** The first line below that of an offset that has something to say. */
export function lineBehind(text: string, offset: number): Line | undefined {
  for (let end = text.indexOf('\n', offset); end !== -1; end = text.indexOf('\n', end + 1)) {
    const line = lineAt(text, end + 1);
    if (!isSilent(line.text)) return line;
  }
  return undefined;
}

export function indentation(line: string): number {
  return line.length - line.trimStart().length;
}

/**
 * Where a line may begin that is no deeper than the one above it: the indentations of the lines around it, rising. A
 * key may stand behind the dash of an item; where items of a list stand above, an item is one of theirs.
 */
export function indentationsAbove(text: string, line: Line): readonly number[] {
  const isItem = /^ *- /.test(line.text);
  const columns: number[] = [];
  let least = Infinity;
  for (let end = line.start - 1; end > 0 && least > 0; ) {
    const { start, text: above } = lineAt(text, end);
    end = start - 1;
    if (isSilent(above)) continue;
    const [, blanks = '', dashes = ''] = /^( *)((?:- +)*)/.exec(above) ?? [];
    if (blanks.length >= least) continue;
    least = blanks.length;
    if (isItem === (dashes !== '')) columns.unshift(least);
    else if (!isItem) columns.unshift(least + dashes.length);
  }
  return columns;
}

/** Empty, or a comment. */
export function isSilent(line: string): boolean {
  return /^\s*(?:#|$)/.test(line);
}
