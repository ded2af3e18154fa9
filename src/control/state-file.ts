/**
 * Keeps overrides in a file over a restart. It is written whole to another file first, and then takes its place, so
 * that it is never half there. What a later version of sluice wrote beside them is kept; a file that can't be read as
 * overrides is put aside before another one takes its place.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { accepts, adminStates } from '../core/admin-state.ts';
import { errorCode } from '../drivers/shared.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { Hold, Override } from './overrides.ts';

const version = 1;

export class StateFile {
  readonly path: string;
  #others: Readonly<Record<string, unknown>> = {};
  #isBroken = false;
  readonly #writes = new OneAtATime();

  constructor(path: string) {
    this.path = path;
  }

  /** None where there is no such file yet. Throws where it can't be read or is not what was written. */
  read(): readonly Override[] {
    this.#isBroken = true;
    const overrides = this.#overrides();
    this.#isBroken = false;
    return overrides;
  }

  #overrides(): readonly Override[] {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
    const { overrides, ...others } = contentOf(text);
    this.#others = others;
    return overrides;
  }

  /** Fulfils once they are on the disk; one write follows the other. */
  write(overrides: readonly Override[]): Promise<void> {
    const text = `${JSON.stringify({ ...this.#others, version, overrides }, undefined, 2)}\n`;
    return this.#writes.run(async () => {
      if (this.#isBroken) await rename(this.path, `${this.path}.broken`);
      this.#isBroken = false;
      await replaceFile(this.path, text);
    });
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}

function contentOf(text: string): Readonly<Record<string, unknown>> & { overrides: readonly Override[] } {
  const content: unknown = JSON.parse(text);
  if (typeof content !== 'object' || content === null || !('overrides' in content)) {
    throw new Error('Expected an object with overrides');
  }
  const { overrides } = content;
  if (!Array.isArray(overrides) || !overrides.every(isOverride)) {
    throw new Error('Expected a list of overrides');
  }
  return { ...content, overrides };
}

type OverrideFields = { readonly [Key in keyof Override]?: unknown };

function isOverride(value: unknown): value is Override {
  if (typeof value !== 'object' || value === null) return false;
  const one: OverrideFields = value;
  const isText = (text: unknown): boolean => typeof text === 'string';
  const isTime = (ms: unknown): boolean => typeof ms === 'number' && Number.isFinite(ms);
  return (
    isText(one.by) &&
    isNamed(one) &&
    isTime(one.sinceMs) &&
    // A hold always ends.
    (isTime(one.untilMs) || (one.untilMs === undefined && one.field !== 'hold')) &&
    (one.reason === undefined || isText(one.reason)) &&
    isField(one.field, one.value) &&
    isField(one.field, one.configured)
  );
}

/** Whether it names a listener, a pool, or a backend of a pool. */
function isNamed({ field, listener, pool, backend }: OverrideFields): boolean {
  const given = [listener, pool, backend].map((name) => (name === undefined ? undefined : typeof name));
  const wanted = {
    accept: ['string', undefined, undefined],
    hold: [undefined, 'string', undefined],
  }[String(field)] ?? [undefined, 'string', 'string'];
  return given.every((kind, index) => kind === wanted[index]);
}

function isField(field: unknown, value: unknown): boolean {
  const isCount = typeof value === 'number' && value >= 0;
  switch (field) {
    case 'state':
      return adminStates.some((state) => state === value);
    case 'weight':
      return isCount || (typeof value === 'string' && /^\d+(\.\d+)?%$/.test(value));
    case 'maxConnections':
      return isCount || value === 'unlimited';
    case 'hold':
      return value === 'off' || isHold(value);
    case 'accept':
      return accepts.some((one) => one === value);
    default:
      return false;
  }
}

function isHold(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { then, sessions, timeoutMs }: { readonly [Key in keyof Hold]?: unknown } = value;
  return (
    (then === 'resume' || then === 'refuse') &&
    (sessions === 'keep' || sessions === 'drain' || sessions === 'close') &&
    typeof timeoutMs === 'number' &&
    timeoutMs > 0
  );
}
