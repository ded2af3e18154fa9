/** Whether a terminal may be sent colours: one that knows them, unless NO_COLOR is set (https://no-color.org). */
export function hasColours(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}
