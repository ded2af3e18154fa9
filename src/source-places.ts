/** In a stack trace, the places of the source in the stead of those in the bundle. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

/** Rewrites the stack of what a thread has died of. To read the maps takes a while, and nothing before. */
export function showSourcePlaces(error: unknown): void {
  if (!(error instanceof Error) || error.stack === undefined) return;
  // Since Node 22, what has come from another thread has a stack that can be defined anew, but not written.
  Reflect.defineProperty(error, 'stack', { value: withSourcePlaces(error.stack) });
}

/** Where a map is missing or says nothing of a place, that stays. */
function withSourcePlaces(stack: string): string {
  return stack.replaceAll(/(file:\/\/[^\s()]+):(\d+):(\d+)/g, (place, file, line, column) => {
    try {
      const map = new SourceMap(JSON.parse(readFileSync(new URL(`${file}.map`), 'utf8')));
      const origin = map.findOrigin(Number(line), Number(column));
      if (!('fileName' in origin)) return place;
      return `${origin.fileName.replace(/^(\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`;
    } catch {
      return place;
    }
  });
}
