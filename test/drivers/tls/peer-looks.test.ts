import { expect, it } from 'vitest';
import { PeerLooks } from '../../../src/drivers/tls/peer-looks.ts';

const to = (port: number) => `10.0.0.1 ${port}`;

it('PeerLooks is due once a second for each server', () => {
  const looks = new PeerLooks();
  expect([looks.isDue(to(1), 0), looks.isDue(to(1), 999), looks.isDue(to(2), 999)]).toEqual([
    true,
    false,
    true,
  ]);
  expect([looks.isDue(to(1), 1_000), looks.isDue(to(1), 1_001), looks.isDue(to(2), 1_998)]).toEqual([
    true,
    false,
    false,
  ]);
});
