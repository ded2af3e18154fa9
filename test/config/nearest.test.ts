import { expect, test } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

const words = ['balance', 'backends', 'connect', 'limits', 'app', 'api'];

test.each([
  ['blance', 'balance'],
  ['balacne', 'balance'],
  ['Backend', 'backends'],
  ['limit', 'limits'],
  ['ap', 'app'],
  ['apl', 'app'],
])('nearest takes %s for %s', (word, meant) => {
  expect(nearest(word, words)).toBe(meant);
});

test.each(['', 'proxyProtocol', 'xyz', 'timeouts'])('nearest finds nothing near %j', (word) => {
  expect(nearest(word, words)).toBeUndefined();
});
