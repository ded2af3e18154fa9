import { describe, expect, test } from 'vitest';
import { type AccessPolicy, isDenied } from '../../../src/core/access/access-policy.ts';
import { parseAddressRange } from '../../../src/core/access/address-range.ts';
import { type AddressSet, compileAddressSet } from '../../../src/core/access/address-set.ts';
import { Endpoint } from '../../../src/core/net/endpoint.ts';
import { endpoint } from '../harness.ts';

function setOf(...texts: readonly string[]): AddressSet {
  return compileAddressSet(texts.flatMap((text) => parseAddressRange(text) ?? []));
}

function denied(policy: Partial<AccessPolicy>, ...addresses: readonly string[]): readonly string[] {
  const { allow, deny } = policy;
  return addresses.filter((address) => isDenied({ allow, deny }, endpoint(address, 4711)));
}

describe('An access policy', () => {
  test('without lists denies nobody', () => {
    expect(denied({}, '10.0.0.1', '::1', 'unix')).toEqual([]);
  });

  test('denies everybody else once some are allowed', () => {
    const allow = setOf('10.0.0.0/8', '::1');
    expect(denied({ allow }, '10.0.0.1', '11.0.0.1', '::1', '::2')).toEqual(['11.0.0.1', '::2']);
  });

  test('allows everybody else where some are denied', () => {
    expect(denied({ deny: setOf('10.0.0.0/8') }, '10.0.0.1', '11.0.0.1', '::1')).toEqual(['10.0.0.1']);
  });

  test('denies who is allowed and denied', () => {
    const policy = { allow: setOf('10.0.0.0/8', '10.9.1.1'), deny: setOf('10.9.0.0/16') };
    expect(denied(policy, '10.8.0.1', '10.9.1.1', '10.10.0.1')).toEqual(['10.9.1.1']);
  });

  test('denies nobody on a unix socket', () => {
    expect(denied({ allow: setOf('10.0.0.1'), deny: setOf('0.0.0.0/0', '::/0') }, 'unix')).toEqual([]);
  });

  test('denies whom a header announces as a client of a unix socket, where others are allowed', () => {
    const { unix } = Endpoint;
    const [allow, deny] = [setOf('0.0.0.0/0', '::/0'), setOf('0.0.0.0/0', '::/0')];
    expect(isDenied({ allow, deny: undefined }, unix, true)).toBe(true);
    expect(isDenied({ allow, deny }, unix, true)).toBe(true);
    expect(isDenied({ allow: undefined, deny }, unix, true)).toBe(false);
    expect(isDenied({ allow: undefined, deny: undefined }, unix, true)).toBe(false);
  });
});
