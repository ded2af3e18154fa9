/** TLS is the portable driver's: whoever asks this one for it is told so, and does not wait. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { echo, readAll } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';
import { listenerTls } from '../../core/harness.ts';

const backendTls = { servername: undefined, ca: undefined, verify: true, cert: undefined, key: undefined };

describe.skipIf(whyNot() !== undefined)('Uring driver', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.start('uring');
  });

  afterEach(async () => {
    await rig.dispose();
    expect(rig.violations).toEqual([]);
  });

  it('fails a handshake with a client', async () => {
    await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    rig.execute({ kind: 'start-tls', link, as: 'server', tls: listenerTls, serverName: undefined });
    expect(await rig.event('tls-failed')).toMatchObject({ link });
    rig.close(link, 'reset');
    await rig.event('over');
  });

  it('fails a handshake with a backend, and dials one without', async () => {
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    const target = await rig.backend(echo);
    rig.target = undefined;
    rig.dial(link, target, { tls: backendTls });
    await rig.event('tls-failed');
    rig.dial(link, target);
    client.end('plain');
    expect((await readAll(client)).toString()).toBe('plain');
  });
});
