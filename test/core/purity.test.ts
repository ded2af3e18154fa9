import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const core = fileURLToPath(new URL('../../src/core', import.meta.url));
const files = readdirSync(core, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** Comments are left out: they may speak of what the code must not do. */
function codeOf(file: string): string {
  return readFileSync(join(core, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

describe('The core', () => {
  it('is found by this test', () => {
    expect(files).toContain('core.ts');
    expect(files).toContain(join('ledger', 'ledger.ts'));
  });

  it.each(files)('has no clock, no chance and no world of its own: %s', (file) => {
    const forbidden =
      /\b(?:Date|Math\.random|performance|process|globalThis|crypto|console|set(?:Timeout|Interval|Immediate)|queueMicrotask|fetch|eval|require)\b|\bimport\s*\(/;
    expect(codeOf(file).match(forbidden)?.[0]).toBeUndefined();
  });

  it.each(files)('imports nothing from outside itself: %s', (file) => {
    const imported = [...codeOf(file).matchAll(/\b(?:from|import)\s+'([^']+)'/g)].map(
      ([, path]) => path ?? '',
    );
    for (const path of imported) {
      expect(path).toMatch(/^\.{1,2}\//);
      expect(relative(core, resolve(join(core, dirname(file)), path))).not.toMatch(/^\.\./);
    }
  });
});
