/** What may stand where somebody is typing: told from the commands themselves, so that none is ever forgotten. */
import type { Argument, Command, Option } from 'commander';

export type Completable =
  | { readonly kind: 'words'; readonly words: readonly DescribedWord[] }
  | { readonly kind: 'file' }
  /** Names of a proxy; backends of one pool, where that is known. */
  | { readonly kind: 'pool' | 'listener' }
  | { readonly kind: 'backend'; readonly pool: string | undefined };

export interface DescribedWord {
  readonly word: string;
  readonly description: string;
}

export interface Typed {
  readonly wanted: Completable;
  /** What stands before it in the same word, as in `--pool=`. */
  readonly before: string;
  /** Options of the command that have a value. */
  readonly given: Readonly<Record<string, string>>;
}

/** `words` are those behind the program's name; the last is the one that is being typed, maybe empty. */
export function wantedAt(root: Command, words: readonly string[]): Typed {
  const [name, ...rest] = words;
  const isName = rest.length === 0 || (name === 'help' && rest.length === 1);
  if (isName) return { wanted: oneOf(commandWords(root)), before: '', given: {} };
  const command = root.commands.find((one) => one.name() === name);
  return command === undefined
    ? { wanted: oneOf([]), before: '', given: {} }
    : wantedOf(command, rest.slice(0, -1), rest.at(-1) ?? '');
}

function wantedOf(command: Command, done: readonly string[], current: string): Typed {
  const { given, operands, open } = readWords(command, done);
  const pool = operands[0] ?? given['pool'];
  if (open !== undefined) return { wanted: wantedFor(open, pool), before: '', given };
  const [, before = '', flag] = /^((--[a-z-]+)=)/.exec(current) ?? [];
  const assigned = command.options.find((one) => one.long === flag && one.required);
  if (assigned !== undefined) return { wanted: wantedFor(assigned, pool), before, given };
  const argument = current.startsWith('-') ? undefined : argumentAt(command, operands.length);
  const wanted = argument === undefined ? oneOf(optionWords(command)) : wantedFor(argument, pool);
  return { wanted, before: '', given };
}

/**
 * The words of a command that are complete: its operands, and its options with their values; `open` is still to get
 * one.
 */
function readWords(command: Command, words: readonly string[]) {
  const given: Record<string, string> = {};
  const operands: string[] = [];
  let open: Option | undefined;
  for (const word of words) {
    const [flag, value] = word.split(/=(.*)/s);
    const option = command.options.find((one) => one.long === flag || one.short === flag);
    if (open !== undefined) {
      given[open.attributeName()] = word;
      open = undefined;
    } else if (option === undefined) operands.push(word);
    else if (option.required && value === undefined) open = option;
    else if (value !== undefined) given[option.attributeName()] = value;
  }
  return { given, operands, open };
}

function argumentAt({ registeredArguments: all }: Command, index: number): Argument | undefined {
  const last = all.at(-1);
  return all[index] ?? (last?.variadic ? last : undefined);
}

/** An argument is known by its name, an option by its own name or that of its value. */
function wantedFor(of: Option | Argument, pool: string | undefined): Completable {
  if (of.argChoices !== undefined) {
    return oneOf(of.argChoices.map((word) => ({ word, description: '' })));
  }
  const names = 'flags' in of ? [of.attributeName(), /<(.*)>/.exec(of.flags)?.[1]] : [of.name()];
  if (names.includes('pool')) return { kind: 'pool' };
  if (names.includes('listener')) return { kind: 'listener' };
  if (names.includes('backend')) return { kind: 'backend', pool };
  return names.includes('file') ? { kind: 'file' } : oneOf([]);
}

function oneOf(words: readonly DescribedWord[]): Completable {
  return { kind: 'words', words };
}

function commandWords(root: Command): readonly DescribedWord[] {
  const help = { word: 'help', description: 'print the help of a command' };
  return [...root.commands.map((one) => ({ word: one.name(), description: one.description() })), help];
}

function optionWords(command: Command): readonly DescribedWord[] {
  const help = { word: '--help', description: 'print the help of this command' };
  return [...command.options.map(({ long, description }) => ({ word: long ?? '', description })), help];
}
