/** Answers the completion scripts of the shells. */
import type { Command } from 'commander';
import { formatTarget } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { adminAddress } from '../admin-address.ts';
import { usualFile } from '../config-file.ts';
import { AdminClient, apiPath } from '../operate/admin-client.ts';
import { tokenFor } from '../operate/proxy-options.ts';
import type { Status } from '../operate/status-text.ts';
import { type DescribedWord, wantedAt } from './wanted.ts';

/** A person who has pressed the Tab key waits no longer. */
const timeoutMs = 1_000;

/** Prints what may stand for the last of the words. Never fails: there is nobody who would read why. */
export async function complete(root: Command, words: readonly string[]): Promise<void> {
  const { wanted, before, given } = wantedAt(root, words);
  if (wanted.kind === 'file') {
    process.stdout.write(':files\n');
    return;
  }
  const current = words.at(-1) ?? '';
  const candidates =
    wanted.kind === 'words'
      ? wanted.words
      : (await namesOf(given))[wanted.kind](wanted.kind === 'backend' ? wanted.pool : undefined);
  const lines = candidates
    .map(({ word, description }) => ({ word: `${before}${word}`, description }))
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, description }) => `${word}\t${description.replaceAll(/\s+/g, ' ')}\n`);
  process.stdout.write(lines.join(''));
}

/** Names of a proxy, as candidates. */
interface Names {
  pool(): readonly DescribedWord[];
  listener(): readonly DescribedWord[];
  /** The backends of one pool, or of all. */
  backend(pool: string | undefined): readonly DescribedWord[];
}

const noNames: Names = { pool: () => [], listener: () => [], backend: () => [] };

/** The names that the running proxy has which the options say, else those of its configuration. */
async function namesOf(given: Readonly<Record<string, string>>): Promise<Names> {
  try {
    return await namesOfProxy(given);
  } catch {
    return namesInFile(given['config'] ?? usualFile());
  }
}

async function namesOfProxy({ admin, config, tokenFile }: Readonly<Record<string, string>>): Promise<Names> {
  const found = await adminAddress({ admin, file: config });
  const token = tokenFor(tokenFile === undefined ? {} : { tokenFile });
  const client = new AdminClient({ ...found, token: token ?? found.token });
  const { body } = await client.ask<Status>(apiPath('status'), { timeoutMs });
  const { pools, listeners } = body;
  return {
    pool: () => Object.entries(pools).map(([word, { balance }]) => ({ word, description: balance })),
    listener: () =>
      Object.entries(listeners).map(([word, { bind }]) => ({ word, description: [bind].flat().join(' ') })),
    backend: (pool) =>
      Object.entries(pools)
        .filter(([name]) => pool === undefined || name === pool)
        .flatMap(([, { backends }]) => backends)
        .map(({ address, state, health, active }) => ({
          word: address,
          description: `${state}, ${health}, ${active} sessions`,
        })),
  };
}

async function namesInFile(file: string | undefined): Promise<Names> {
  const loaded = file === undefined ? undefined : await loadConfig(file, process.env);
  if (!loaded?.ok) return noNames;
  const { pools, listeners } = loaded.config;
  return {
    pool: () => pools.map(({ name, policy }) => ({ word: name, description: policy.balance })),
    listener: () => listeners.map(({ name }) => ({ word: name, description: '' })),
    backend: (pool) =>
      pools
        .filter(({ name }) => pool === undefined || name === pool)
        .flatMap(({ backends }) => backends)
        .map(({ target }) => ({ word: formatTarget(target), description: '' })),
  };
}
