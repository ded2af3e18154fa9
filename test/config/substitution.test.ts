// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of sluice, not of JavaScript
import { expect, test } from 'vitest';
import { substitute } from '../../src/config/substitution.ts';

const env = { HOST: '10.0.0.1', PORT: '80', EMPTY: '' };

test.each([
  ['plain', 'plain'],
  ['${HOST}', '10.0.0.1'],
  ['${HOST}:${PORT}', '10.0.0.1:80'],
  ['${EMPTY}', ''],
  ['${EMPTY:-x}', 'x'],
  ['${NONE:-}', ''],
  ['${NONE:-a:-b}', 'a:-b'],
  ['${PORT:-90}', '80'],
  ['$${HOST}', '${HOST}'],
  ['$$${HOST}', '$${HOST}'],
  ['$HOST $ {HOST}', '$HOST $ {HOST}'],
])('substitute turns %s into %j', (template, text) => {
  expect(substitute(template, env)).toEqual({ ok: true, text });
});

test('substitute names the variable that is not set', () => {
  expect(substitute('${HOST} ${NONE}', env)).toMatchObject({
    ok: false,
    message: 'Environment variable NONE is not set; set it, or write "${NONE:-default}"',
  });
});

test.each(['${', '${HOST', '${}', '${1}', '${HOST-x}', '${ HOST }'])('substitute refuses %s', (template) => {
  expect(substitute(template, env)).toMatchObject({
    ok: false,
    message: expect.stringContaining('Expected "${NAME}" or "${NAME:-default}"'),
  });
});
