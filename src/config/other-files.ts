/** Configurations of other programs that are given by mistake. */

/** The program whose configuration a text is; undefined where nobody can tell, and for one that may be ours. */
export function otherProgramOf(text: string): string | undefined {
  if (/^(?:version|listeners|pools) ?:/m.test(text)) return undefined;
  return marks.find(([, all]) => all.every((mark) => mark.test(text)))?.[0];
}

/** Lines that only this program has. */
const marks: readonly (readonly [program: string, all: readonly RegExp[]])[] = [
  [
    'HAProxy',
    [
      /^(?:global|defaults|frontend|backend|listen)(?: [\w.-]+)*$/m,
      /^[ \t]+(?:mode|bind|server|timeout|maxconn|daemon|log|balance)\b/m,
    ],
  ],
  ['nginx', [/^[ \t]*(?:http|stream|events|server|upstream [\w.-]+) ?\{/m, /;[ \t]*(?:#.*)?$/m]],
  [
    'Traefik',
    [
      /^(?:\[\[?)?(?:entryPoints|providers|certificatesResolvers|(?:http|tcp|udp)\.(?:routers|services|middlewares))[\].:]/m,
    ],
  ],
  ['Traefik', [/^(?:http|tcp|udp):$/m, /^[ \t]+(?:routers|services|middlewares):/m]],
  ['Envoy', [/^[ \t]*"?static_resources"?:/m]],
  [
    'Caddy',
    [
      /^[^\s{}#][^{}\n]{0,200}\{$|^\{$/m,
      /^[ \t]+(?:reverse_proxy|file_server|layer4|respond|encode|handle|root)\b/m,
    ],
  ],
];
