/**
 * `${NAME}` and `${NAME:-default}` in a value, as in a shell: the default stands in for a variable that is
 * unset or empty. `$${` is a literal `${`.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Substituted =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

export function substitute(template: string, env: Environment): Substituted {
  let problem: string | undefined;
  const text = template.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, inside: string | undefined, end) => {
    if (inside === undefined) return '${';
    const [, name, fallback] =
      end === '' ? [] : (/^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside) ?? []);
    if (name === undefined) {
      problem ??= `Expected "\${NAME}" or "\${NAME:-default}" ("$\${" for a literal "\${"), found ${JSON.stringify(whole.slice(0, 60))}`;
      return '';
    }
    const value = env[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined)
      problem ??= `Environment variable ${name} is not set; set it, or write "\${${name}:-default}"`;
    return value ?? '';
  });
  return problem === undefined ? { ok: true, text } : { ok: false, message: problem };
}
