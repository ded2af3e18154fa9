/**
 * What people type who come from nginx, HAProxy or Traefik: the words of ours that do the same, or a sentence that says
 * what does.
 */

/** The words with the first as ours, where others have it for one of ours. */
export function inOurWords(words: readonly string[]): readonly string[] {
  const ours = otherWords.get(words[0] ?? '');
  return ours === undefined ? words : [ours, ...words.slice(1)];
}

/** What does what words ask for whose first is no command; undefined where nobody can tell. */
export function hintFor(words: readonly string[]): string | undefined {
  const [first = ''] = words;
  const file = words.find((word) => /\.(?:ya?ml|json|conf|cfg)$/.test(word));
  if (first !== file && !['-c', '-f', '--config', '--file', '--configFile'].includes(first)) {
    return hints.find(([ones]) => ones.includes(first))?.[1];
  }
  // As in `nginx -c FILE -t` and `haproxy -c -f FILE`.
  const command = words.includes('-t') || (words.includes('-c') && words.includes('-f')) ? 'check' : 'run';
  return `Expected a command before the configuration, as in "sluice ${command} ${file ?? '-c FILE'}"`;
}

const otherWords: ReadonlyMap<string, string> = new Map([
  ['-v', '--version'],
  ['version', '--version'],
  ['-t', 'check'],
  ['-?', '--help'],
]);

const hints: readonly (readonly [words: readonly string[], hint: string])[] = [
  [['start', 'serve', 'server', 'up', 'proxy'], '"sluice run" runs the proxy, in the foreground'],
  [['test', 'validate', 'verify', 'configtest', 'lint', 'config'], '"sluice check" checks a configuration'],
  [['-s'], '"sluice reload" reloads a running sluice, as does the signal SIGHUP'],
  [
    ['stop', 'quit', 'shutdown'],
    'The signal SIGTERM stops a running sluice gracefully, and a second one at once',
  ],
  [
    ['-d', '-D', '--daemon', '-g'],
    'sluice runs in the foreground: a service manager such as systemd starts and restarts it',
  ],
];
