/**
 * What people type who come from nginx, HAProxy or Traefik: the words of ours that do the same, or a sentence that says
 * what does.
 */

/** The words with the first as ours, where others have it for one of ours. */
export function inOurWords(words: readonly string[]): readonly string[] {
  const ours = otherWords.get(words[0] ?? '');
  return ours === undefined ? words : [ours, ...words.slice(1)];
}

/** What does what a first word asks for that is no command; undefined where nobody can tell. */
export function hintFor(word: string): string | undefined {
  if (/\.(?:ya?ml|json|conf|cfg)$/.test(word)) {
    return `Expected a command before the configuration, as in "sluice run ${word}"`;
  }
  return hints.find(([words]) => words.includes(word))?.[1];
}

const otherWords: ReadonlyMap<string, string> = new Map([
  ['-v', '--version'],
  ['version', '--version'],
  ['-t', 'check'],
  ['-?', '--help'],
]);

const hints: readonly (readonly [words: readonly string[], hint: string])[] = [
  [
    ['-c', '-f', '--config', '--file', '--configFile'],
    'Expected a command before the configuration, as in "sluice run -c FILE"',
  ],
  [['start', 'serve', 'server', 'up', 'proxy'], '"sluice run" runs the proxy, in the foreground'],
  [['test', 'validate', 'verify', 'configtest', 'lint', 'config'], '"sluice check" checks a configuration'],
  [
    ['reload', '-s'],
    'The signal SIGHUP reloads a running sluice, as does POST /api/v1/reload of the admin API',
  ],
  [
    ['stop', 'quit', 'shutdown'],
    'The signal SIGTERM stops a running sluice gracefully, and a second one at once',
  ],
  [
    ['-d', '-D', '--daemon', '-g'],
    'sluice runs in the foreground: a service manager such as systemd starts and restarts it',
  ],
];
