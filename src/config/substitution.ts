/**
 * `${NAME}` and `${NAME:-default}` in a value, as in a shell: the default stands in for a variable that is
 * unset or empty. `$${` is a literal `${`.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Substituted =
  | { readonly ok: true; readonly text: string }
  /** `redacted` says the same without a word of the value, for one that is a secret. */
  | { readonly ok: false; readonly message: string; readonly redacted: string };

export function substitute(template: string, env: Environment): Substituted {
  let problem: Omit<Extract<Substituted, { readonly ok: false }>, 'ok'> | undefined;
  const text = template.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, inside: string | undefined, end) => {
    if (inside === undefined) return '${';
    const [, name, fallback] =
      end === '' ? [] : (/^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside) ?? []);
    if (name === undefined) {
      const redacted = `Expected "\${NAME}" or "\${NAME:-default}" ("$\${" for a literal "\${")`;
      problem ??= { message: `${redacted}, found ${JSON.stringify(whole.slice(0, 60))}`, redacted };
      return '';
    }
    const value = env[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) {
      problem ??= {
        message: `Environment variable ${name} is not set; set it, or write "\${${name}:-default}"`,
        redacted: `An environment variable that it names is not set; set it, or write "\${NAME:-default}"`,
      };
    }
    return value ?? '';
  });
  return problem === undefined ? { ok: true, text } : { ok: false, ...problem };
}
