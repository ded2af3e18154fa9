/** TLS is the portable driver's: who asks this one for it is told so, and does not wait. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionId } from '../../../src/core/contract.ts';
import { createUringDriver } from '../../../src/drivers/uring/driver.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { echo, readAll } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';
import { tls } from '../../control/tls-plans.ts';

describe.skipIf(whyNot() !== undefined)('Uring driver', () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig((host) => createUringDriver(host, 'event-loop'));
  });

  afterEach(async () => {
    await rig.dispose();
    expect(rig.violations).toEqual([]);
  });

  it('fails a handshake with a client', async () => {
    const { session } = await arrival();
    rig.execute({ kind: 'secure', session, tls });
    await rig.event('secure-failed');
    rig.close(session, 'reset');
  });

  it('fails a dial over TLS, and takes one without', async () => {
    const { session, client } = await arrival();
    const target = await rig.backend(echo);
    rig.target = undefined;
    const backendTls = {
      servername: undefined,
      ca: undefined,
      verify: true,
      cert: undefined,
      key: undefined,
    };
    rig.dial(session, target, { tls: backendTls });
    expect(await rig.event('dial-failed')).toMatchObject({ why: 'connect-failed' });
    rig.dial(session, target);
    client.end('plain');
    expect((await readAll(client)).toString()).toBe('plain');
  });

  async function arrival() {
    const client = await rig.client(await rig.listen());
    const { session }: { readonly session: SessionId } = await rig.event('accepted');
    return { client, session };
  }
});
