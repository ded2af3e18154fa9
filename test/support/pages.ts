/** The pages that people read, and the blocks of code in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** For users: README.md, docs/ and monitoring/. */
export const userPages = ['README.md', ...pagesIn('docs/'), ...pagesIn('monitoring/')];

/** All of them, by their paths from the root. */
export const allPages = [...pagesIn(''), ...pagesIn('docs/'), ...pagesIn('monitoring/')];

function pagesIn(folder: string): readonly string[] {
  return readdirSync(root + folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => folder + name);
}

export function pageText(page: string): string {
  return readFileSync(root + page, 'utf8');
}

export interface Block {
  /** Of its first line, as an editor counts. */
  readonly line: number;
  readonly text: string;
}

/** The blocks of a page that are marked with this language; '' are those without a mark. */
export function blocks(page: string, language: string): readonly Block[] {
  const text = pageText(page);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, mark]) => mark === language)
    .map(({ index, 2: code = '' }) => ({
      page,
      line: text.slice(0, index).split('\n').length + 1,
      text: code,
    }));
}

/** Every configuration in the pages for users, behind its place. */
export const pageConfigs = userPages.flatMap((page) =>
  blocks(page, 'yaml').map(({ line, text }) => [`${page}:${line}`, text] as const),
);

/** The lines of shell blocks, joined where a backslash continues them, and without their comments. */
export function shellLines(page: string): readonly string[] {
  return blocks(page, 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/ *(?:^|\s)# .*$/, ''));
}

/** The rows of a table with this head, without the head: the text of each cell. */
export function tableRows(text: string, head: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const start = lines.indexOf(head);
  if (start < 0) throw new Error(`There is no table ${head}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}
