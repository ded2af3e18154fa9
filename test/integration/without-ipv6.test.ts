/**
 * A host that can't reach one of its backends at all, as in a container without IPv6 where a name has a AAAA record: in
 * such a network namespace connecting to ::1 fails with EADDRNOTAVAIL. Unix sockets are of the file system, and lead in
 * and out.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ending, named, startBackend, textOf } from '../support/backends.ts';
import { wideEnv } from '../support/programs.ts';
import { type LogLine, Sluice } from '../support/sluice.ts';

/** A namespace with a loopback of IPv4, which a driver tries itself out on, and nothing else. */
const setUp = 'ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && exec "$0" "$@"';
const alone = ['unshare', '--user', '--map-root-user', '--net', 'sh', '-c', setUp] as const;
const canBeAlone = spawnSync(alone[0], [...alone.slice(1), 'true'], { env: wideEnv }).status === 0;

describe.skipIf(!canBeAlone)('on a host without IPv6 (skipped where namespaces are not to be had)', () => {
  it.each(['source-hash', 'round-robin'])(
    'clients are served by who can be reached, with %s',
    async (balance) => {
      const { sluice, bind } = await start({ balance });
      for (let visit = 0; visit < 8; visit++) {
        const client = connect({ path: bind });
        expect(await textOf(client, 2)).toBe('ok');
        client.end();
        await ending(client);
      }
      const sessions = await closed(sluice, 8);
      expect(new Set(sessions.map(({ reason }) => reason))).toEqual(new Set(['finished']));
      // Once its breaker is open, nobody dials it in vain.
      expect(sessions.filter(({ attempts }) => attempts === 2).length).toBeLessThanOrEqual(2);
    },
  );

  it('the backend out of reach is down for its checks', async () => {
    const { sluice } = await start({ healthCheck: { type: 'tcp', interval: '50ms' } });
    const line = await sluice.logged(({ msg }) => msg === 'backend down');
    expect(line).toMatchObject({ backend: '[::1]:9', detail: expect.stringContaining('address') });
    expect(sluice.lines.some(({ msg }) => String(msg).includes('checks cannot be made'))).toBe(false);
  });
});

/** The unreachable backend is the likelier one by far, whatever a client hashes to. */
async function start(pool: object): Promise<{ sluice: Sluice; bind: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [bind, served] = [join(folder, 'listener'), join(folder, 'backend')];
  const backend = await startBackend(named('ok'), { path: served });
  onTestFinished(() => backend.close());
  const config = JSON.stringify({
    version: 1,
    workers: 1,
    listeners: { web: { bind: `unix:${bind}`, pool: 'app' } },
    pools: {
      app: {
        backends: [{ address: '[::1]:9', weight: 1_000 }, `unix:${served}`],
        circuitBreaker: { consecutiveFailures: 2, openFor: '10m', maxOpenFor: '10m' },
        ...pool,
      },
    },
  });
  const sluice = await Sluice.run(config, [], alone);
  onTestFinished(() => sluice.stop());
  return { sluice, bind };
}

async function closed(sluice: Sluice, count: number): Promise<readonly LogLine[]> {
  await sluice.logged(() => sluice.sessions.length >= count);
  return sluice.sessions;
}
