/**
 * Tells when one of some files changes, comes or goes, or a link on the way to it leads elsewhere, as the folder of a
 * mounted ConfigMap does. It watches the folders of the files: these tell of a file that is replaced, missing, or
 * missing for a while, where a watch of the file itself would go with the file.
 */
import { EventEmitter, once } from 'node:events';
import { type FSWatcher as FolderWatcher, type Stats, statSync, watch as watchFolder } from 'node:fs';
import { dirname } from 'node:path';
import { FSWatcher } from 'chokidar';
import { followLinks, type LinkedFile } from './symlinks.ts';

/** Editors replace a file or write it in pieces: it has changed once it has been still for a moment. */
const stillMs = 100;

export class WatchedFiles extends EventEmitter<{ readonly change: [] }> {
  #asked: readonly string[] = [];
  #followed: readonly LinkedFile[] = [];
  /** The states of the files behind links. */
  #seen = '';
  /** Where the files are, behind all links. */
  #files: ReadonlySet<string> = new Set();
  /** All that ever had one: chokidar would stop watching a folder together with those inside it. */
  readonly #folders = new Set<string>();
  /**
   * Watch folders with a link, and with a file behind one: chokidar does not tell that a link leads elsewhere, and
   * begins to watch where it leads only a while later.
   */
  readonly #linkWatchers = new Map<string, FolderWatcher>();
  #stillTimer: NodeJS.Timeout | undefined;
  readonly #watcher = new FSWatcher({
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: stillMs, pollInterval: 20 },
    // Whatever else is in the folders would be watched as well.
    ignored: (path) => !this.#files.has(path) && !this.#folders.has(path),
  });

  constructor() {
    super();
    this.#watcher.on('all', (_, path) => {
      if (!this.#files.has(path)) return;
      // A change that the other watchers notice too is told once.
      if (this.#followed.some(({ file, links }) => file === path && links.length > 0)) this.#lookSoon();
      else this.emit('change');
    });
  }

  /** Fulfils once changes of these files, by absolute path, will be noticed. Some may be missing. */
  async start(files: readonly string[]): Promise<void> {
    const ready = once(this.#watcher, 'ready');
    this.watch(files);
    await ready;
  }

  /** Watches these files from now on, and no others. */
  watch(files: readonly string[]): void {
    this.#asked = files;
    this.#follow();
  }

  close(): Promise<void> {
    clearTimeout(this.#stillTimer);
    for (const watcher of this.#linkWatchers.values()) watcher.close();
    return this.#watcher.close();
  }

  #follow(): void {
    this.#followed = this.#asked.map(followLinks);
    this.#files = new Set(this.#followed.map(({ file }) => file));
    this.#seen = statesOf(this.#followed);
    for (const folder of [...this.#files].map((file) => dirname(file))) {
      if (this.#folders.has(folder)) continue;
      this.#folders.add(folder);
      this.#watcher.add(folder);
    }
    const behindLinks = this.#followed.filter(({ links }) => links.length > 0);
    const linked = new Set(
      behindLinks.flatMap(({ file, links }) =>
        [file, ...links.map(({ path }) => path)].map((one) => dirname(one)),
      ),
    );
    for (const [folder, watcher] of this.#linkWatchers) {
      if (linked.has(folder)) continue;
      watcher.close();
      this.#linkWatchers.delete(folder);
    }
    for (const folder of linked) if (!this.#linkWatchers.has(folder)) this.#watchLinksIn(folder);
  }

  #watchLinksIn(folder: string): void {
    try {
      const watcher = watchFolder(folder, () => this.#lookSoon());
      watcher.on('error', () => {
        watcher.close();
        this.#linkWatchers.delete(folder);
      });
      this.#linkWatchers.set(folder, watcher);
    } catch {
      // It has gone since: its folder tells of a file that is missing.
    }
  }

  #lookSoon(): void {
    clearTimeout(this.#stillTimer);
    this.#stillTimer = setTimeout(() => this.#lookAtLinks(), stillMs);
  }

  #lookAtLinks(): void {
    if (statesOf(this.#asked.map(followLinks)) === this.#seen) return;
    this.#follow();
    this.emit('change');
  }
}

/** Where paths lead, and what is there: for files behind links, another text after each change. */
function statesOf(files: readonly LinkedFile[]): string {
  return JSON.stringify(
    files.map(({ file, links }) => {
      const stats = links.length === 0 ? undefined : statsOf(file);
      return [file, links, stats?.ino, stats?.size, stats?.mtimeMs];
    }),
  );
}

/** Undefined also where it may not be looked at: the one that reads the file will be told. */
function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}
