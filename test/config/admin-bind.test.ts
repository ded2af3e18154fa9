// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { expect, test } from 'vitest';
import { adminBindIn } from '../../src/config/admin-bind.ts';

const at = (port: number) => ({ kind: 'at', address: { host: '127.0.0.1', port } });
const admin = 'admin:\n  # where\n  bind: 127.0.0.1:7\n\n  token: ${UNSET}\n';

test.each<readonly [string, string, object]>([
  ['beside unset variables', `${admin}pools: \${UNSET}\n`, at(7)],
  [
    'beside files that are missing',
    `listeners: { w: { tls: { certificates: [{ cert: no }] } } }\n${admin}`,
    at(7),
  ],
  ['beside another version and unknown keys', `version: 9\nnew: [\${A]\n${admin}`, at(7)],
  ['before a mistake in YAML', `${admin}pools:\n\ta: b\n`, at(7)],
  ['behind a mistake in YAML', `pools: { a: [\n${admin}`, at(7)],
  ['behind a quote that nobody closed', `log: "x\n${admin}`, at(7)],
  ['with line ends of Windows', `log: "x\r\n${admin.replaceAll('\n', '\r\n')}pools: ]\r\n`, at(7)],
  ['before a mistake of its own section', 'admin: { bind: "127.0.0.1:7" }\n\tx\n', at(7)],
  ['beside a token with a mistake', 'admin:\n  token: a: b\n  bind: 127.0.0.1:7 # here\n', at(7)],
  ['beside a token without an end', 'admin:\n  bind: "127.0.0.1:${PORT}"\n  token: "x\n', at(7)],
  ['in braces that nobody closed', "admin: { token: x, 'bind': 127.0.0.1:7, x: [\n", at(7)],
  ['through an alias', 'x: &a 127.0.0.1:7\nadmin: { bind: *a }\n', at(7)],
  ['from the environment', 'admin: { bind: "127.0.0.1:${PORT}" }\n', at(7)],
  [
    'and which token it wants',
    'admin: { bind: "127.0.0.1:${PORT}", token: "${SECRET:-x}" }\n',
    { ...at(7), token: 'x' },
  ],
  ['with a mode', 'admin: { bind: { address: "127.0.0.1:7", mode: "0600" } }\n', at(7)],
  ['as the default', 'admin: {}\n', at(9900)],
  ['of a file without the section', 'version: 1\n', { kind: 'off' }],
  ['of a file that turns it off', 'admin: { bind: off }\n', { kind: 'off' }],
  ['of a file that can not be told', 'admin: { bind: ${UNSET} }\n', { kind: 'unknown' }],
  ['of a damaged file without the section', 'pools: [\n', { kind: 'unknown' }],
  ['of a damaged section', 'admin: { bind: [\n', { kind: 'unknown' }],
  ['of no address', 'admin: { bind: 7 }\n', { kind: 'unknown' }],
  ['of an empty file', '', { kind: 'unknown' }],
])('adminBindIn tells where the admin API listens %s', (_, text, expected) => {
  expect(adminBindIn(text, { PORT: '7' })).toEqual(expected);
});
