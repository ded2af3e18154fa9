/**
 * What a page has its reader do in a shell, step by step, and what it promises of that. CONTRIBUTING.md says how pages
 * are written for it.
 */

export type Step = Block | FileToWrite | SectionEnd;

/** A shell block. */
export interface Block {
  readonly kind: 'block';
  /** Of its first line of code, as an editor counts. */
  readonly line: number;
  readonly code: string;
  /** It keeps its terminal busy until the section ends: the text has the reader go on in a second one. */
  readonly keepsTerminal: boolean;
  readonly output: Output | undefined;
}

export interface Output {
  readonly text: string;
  /** The numbers in it are examples. */
  readonly forInstance: boolean;
}

/** A configuration that the text has the reader write to a file. */
export interface FileToWrite {
  readonly kind: 'file';
  readonly name: string;
  readonly text: string;
}

export interface SectionEnd {
  readonly kind: 'section-end';
}

/** The steps of a page in Markdown, in its order. */
export function stepsOf(page: string): readonly Step[] {
  const steps: Step[] = [];
  /** What stands since the last block of code or heading. */
  let text = '';
  /** The last shell block of the section, and whether its output may still follow. */
  let last: { readonly at: number; readonly mayPrint: boolean } | undefined;
  const amend = (at: number, more: Partial<Block>): void => {
    const step = steps[at];
    if (step?.kind === 'block') steps[at] = { ...step, ...more };
  };
  for (const { line, mark, body } of partsOf(page)) {
    if (mark === undefined && /^#+ /.test(body)) {
      steps.push({ kind: 'section-end' });
      last = undefined;
      text = '';
    } else if (mark === undefined) {
      text += `${body}\n`;
      if (last !== undefined && /\bsecond terminal\b/.test(body)) amend(last.at, { keepsTerminal: true });
    } else {
      if (mark === 'sh' && !text.includes('<!-- not run:')) {
        steps.push({ kind: 'block', line, code: body, keepsTerminal: false, output: undefined });
        last = { at: steps.length - 1, mayPrint: true };
      } else if (mark === '' && last?.mayPrint) {
        amend(last.at, { output: { text: body, forInstance: text.includes('for instance') } });
        last = { ...last, mayPrint: false };
      } else {
        last = last && { ...last, mayPrint: false };
        const [, name] = /`(\w+\.yaml)`[^`]*$/.exec(text) ?? [];
        if (mark === 'yaml' && name !== undefined) steps.push({ kind: 'file', name, text: body });
      }
      text = '';
    }
  }
  return [...steps, { kind: 'section-end' }];
}

interface Part {
  readonly line: number;
  /** The language of a block of code; undefined for a line of text. */
  readonly mark: string | undefined;
  readonly body: string;
}

function* partsOf(page: string): Generator<Part> {
  let code: { readonly line: number; readonly mark: string; body: string } | undefined;
  for (const [index, line] of page.split('\n').entries()) {
    const fence = /^```(\w*)$/.exec(line);
    if (code === undefined && fence === null) yield { line: index + 1, mark: undefined, body: line };
    else if (code === undefined) code = { line: index + 2, mark: fence?.[1] ?? '', body: '' };
    else if (fence === null) code.body += `${line}\n`;
    else {
      yield code;
      code = undefined;
    }
  }
}

/**
 * Whether that is what was promised. `…` stands for any text in a line, on a line of its own for any lines. Of an
 * instance, numbers and the width of blanks may be others.
 */
export function isAsPromised(seen: string, { text, forInstance }: Output): boolean {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*' : `${patternOf(line.trimEnd(), forInstance)}\n`));
  const trimmed = seen.replaceAll(/[ \r]+$/gm, '').trimEnd();
  return new RegExp(`^${lines.join('')}$`).test(`${trimmed}\n`);
}

function patternOf(line: string, forInstance: boolean): string {
  const pattern = line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
  if (!forInstance) return pattern;
  return pattern.replaceAll(/\d+/g, '\\d+').replaceAll(/ +/g, ' +');
}
