import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WatchedFiles } from '../../src/cli/watched-files.ts';

describe('WatchedFiles', () => {
  let folder = '';
  let watched: WatchedFiles;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    watched = new WatchedFiles();
  });

  afterEach(async () => {
    await watched.close();
    rmSync(folder, { recursive: true });
  });

  function file(name: string): string {
    const path = join(folder, name);
    writeFileSync(path, 'before');
    return path;
  }

  /** Fulfils with the next change that comes of what is done. */
  async function changeAfter(act: () => void): Promise<void> {
    const change = once(watched, 'change', { signal: AbortSignal.timeout(10_000) });
    act();
    await change;
  }

  test('tell of each file that is written or replaced', async () => {
    const [one, two, three] = [file('one'), file('two'), file('three')];
    await watched.start([one, two]);
    await changeAfter(() => writeFileSync(one, 'after'));
    await changeAfter(() => writeFileSync(two, 'after'));
    await changeAfter(() => renameSync(three, one));
    await changeAfter(() => writeFileSync(one, 'after that'));
  });

  test('tell of a file that goes, and comes back', async () => {
    const [one, two] = [file('one'), file('two')];
    await watched.start([one, two]);
    await changeAfter(() => rmSync(two));
    await changeAfter(() => writeFileSync(two, 'after'));
    await changeAfter(() => writeFileSync(two, 'after that'));
  });

  test('tell of files that were missing', async () => {
    const [one, two, three] = [file('one'), join(folder, 'two'), join(folder, 'three')];
    await watched.start([one, two]);
    await changeAfter(() => writeFileSync(two, 'there'));
    watched.watch([one, three]);
    await changeAfter(() => writeFileSync(three, 'there'));
    await changeAfter(() => rmSync(three));
    await changeAfter(() => writeFileSync(three, 'there again'));
  });

  test('tell of a file that was there before it was watched', async () => {
    const [one, two] = [file('one'), file('two')];
    await watched.start([one]);
    watched.watch([one, two]);
    await changeAfter(() => writeFileSync(two, 'after'));
    await changeAfter(() => writeFileSync(two, 'after that'));
  });

  test('tell of a link that leads to another file, as a mounted volume changes', async () => {
    mkdirSync(join(folder, 'v1'));
    mkdirSync(join(folder, 'v2'));
    file('v1/list');
    file('v2/list');
    symlinkSync('v1', join(folder, 'now'));
    symlinkSync(join('now', 'list'), join(folder, 'list'));
    await watched.start([join(folder, 'list')]);
    await changeAfter(() => {
      symlinkSync('v2', join(folder, 'next'));
      renameSync(join(folder, 'next'), join(folder, 'now'));
      rmSync(join(folder, 'v1'), { recursive: true });
    });
  });

  test.each([
    ['through which a file is named', 'now/list'],
    ['that a link to a file goes through', 'list'],
    ['behind another', 'other/list'],
  ])('tell of a link to a folder, %s, that is switched', async (_, name) => {
    for (const version of ['v1', 'v2', 'v3']) {
      mkdirSync(join(folder, version));
      file(`${version}/list`);
    }
    symlinkSync('v1', join(folder, 'now'));
    symlinkSync(join('now', 'list'), join(folder, 'list'));
    symlinkSync(join(folder, 'now'), join(folder, 'other'));
    await watched.start([join(folder, name)]);
    let changes = 0;
    watched.on('change', () => changes++);
    for (const version of ['v2', 'v3']) {
      // The old one stays, as it may for a while.
      await changeAfter(() => {
        symlinkSync(version, join(folder, 'next'));
        renameSync(join(folder, 'next'), join(folder, 'now'));
      });
      await changeAfter(() => writeFileSync(join(folder, version, 'list'), 'after'));
    }
    expect(changes).toBe(4);
    await changeAfter(() => {
      rmSync(join(folder, 'now'));
      mkdirSync(join(folder, 'now'));
      writeFileSync(join(folder, 'now', 'list'), 'a folder by now');
    });
  });

  test('are no longer those that were left out', async () => {
    mkdirSync(join(folder, 'inside'));
    const [one, two] = [file('inside/one'), file('two')];
    await watched.start([one, two]);
    watched.watch([one]);
    let changes = 0;
    watched.on('change', () => changes++);
    writeFileSync(two, 'after');
    await changeAfter(() => writeFileSync(one, 'after'));
    expect(changes).toBe(1);
    // From now on again.
    watched.watch([one, two]);
    await changeAfter(() => writeFileSync(one, 'after that'));
    await changeAfter(() => writeFileSync(two, 'after that'));
  });
});
