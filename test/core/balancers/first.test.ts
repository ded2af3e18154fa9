import { expect, test } from 'vitest';
import { first } from '../../../src/core/balancers/first.ts';
import { seeded } from '../../support/seeded.ts';
import { letters, tierOf } from './fake-tier.ts';

test('First stays with the first that is admitted, however busy it is', () => {
  const tier = tierOf(0, 1, 1);
  Object.assign(tier.backends[1] ?? {}, { active: 1_000 });
  const balancer = first.make(tier, seeded(1));
  expect(letters(3, () => balancer.pick({ address: '10.0.0.1' }))).toBe('b b b');
  Object.assign(tier.backends[1] ?? {}, { admits: false });
  expect(letters(3, () => balancer.pick({ address: '10.0.0.1' }))).toBe('c c c');
  Object.assign(tier.backends[1] ?? {}, { admits: true });
  expect(letters(1, () => balancer.pick({ address: '10.0.0.1' }))).toBe('b');
});
