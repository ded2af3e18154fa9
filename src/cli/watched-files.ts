/**
 * Tells when one of some files changes, comes or goes. It watches their folders: that hears of a file that is
 * replaced, missing, or missing for a while, where a watch of the file itself would go with the file.
 */
import { EventEmitter, once } from 'node:events';
import { dirname } from 'node:path';
import { FSWatcher } from 'chokidar';

export class WatchedFiles extends EventEmitter<{ readonly change: [] }> {
  #files: ReadonlySet<string> = new Set();
  /** All that ever had one: chokidar would stop watching a folder together with those inside it. */
  readonly #folders = new Set<string>();
  /** Editors replace a file or write it in pieces: it has changed once it has been still for a moment. */
  readonly #watcher = new FSWatcher({
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 },
    // Whatever else is in the folders would be watched as well.
    ignored: (path) => !this.#files.has(path) && !this.#folders.has(path),
  });

  constructor() {
    super();
    this.#watcher.on('all', (_, path) => {
      if (this.#files.has(path)) this.emit('change');
    });
  }

  /** Fulfils once changes of these files, by absolute path, will be heard of. Some may be missing. */
  async start(files: readonly string[]): Promise<void> {
    const ready = once(this.#watcher, 'ready');
    this.watch(files);
    await ready;
  }

  /** From now on these and no others. */
  watch(files: readonly string[]): void {
    this.#files = new Set(files);
    for (const folder of files.map((file) => dirname(file))) {
      if (this.#folders.has(folder)) continue;
      this.#folders.add(folder);
      this.#watcher.add(folder);
    }
  }

  close(): Promise<void> {
    return this.#watcher.close();
  }
}
