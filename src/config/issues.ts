/** What is wrong with a configuration, where, and what would do. */
export interface Issue {
  readonly file: string;
  /** Both from 1 on. */
  readonly line: number;
  readonly column: number;
  /** As in `pools.app.backends[1].weight`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The line's text; absent for the file as a whole and where it may hold a secret. */
  readonly excerpt: string | undefined;
}

/** Keys and indexes from the root to a value. */
export type Path = readonly (string | number)[];

/**
 * One paragraph for each issue: place, path and message, then the line with a mark under the place. Warnings, which
 * keep nothing from running, say that they are.
 */
export function formatIssues(issues: readonly Issue[], severity: 'mistake' | 'warning' = 'mistake'): string {
  const shown = issues
    .slice(0, mostShown)
    .map((issue) => formatIssue(issue, severity === 'warning' ? 'warning: ' : ''));
  const more = issues.length - shown.length;
  return [...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n');
}

export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const key = step.length > 40 ? `${step.slice(0, 39)}…` : step;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** More would fill screens. Programs find all issues in the list itself. */
const mostShown = 100;

function formatIssue({ file, line, column, path, message, excerpt }: Issue, prefix: string): string {
  const isOfFile = excerpt === undefined && path === '' && line === 1 && column === 1;
  if (isOfFile) return `${file}: ${prefix}${message}`;
  const head = `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}: ${prefix}${message}`;
  return excerpt === undefined ? head : `${head}\n${underlined(excerpt, column)}`;
}

function underlined(line: string, column: number): string {
  const visible = line.replaceAll('\t', ' ');
  const start = Math.max(visible.length - visible.trimStart().length, column - 1 - 60);
  const text = visible.slice(start, start + 100).trimEnd();
  const mark = Math.max(0, Math.min(column - 1 - start, text.length));
  return `    ${text}\n    ${' '.repeat(mark)}^`;
}
