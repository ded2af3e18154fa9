/** Agents of backends, as people make them with socat. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../bench/stage/free-ports.ts';
import { named, startBackend } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import { installed, skippedWithout } from '../../support/programs.ts';
import { Sluice } from '../../support/sluice.ts';
import { Peer } from './peer.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe.skipIf(!installed('socat'))(`An agent of socat ${skippedWithout('socat')}`, () => {
  it('says what becomes of its backend, and an operator goes before it', async () => {
    const backend = await startBackend(named('one'));
    ends.push(() => backend.close());
    const agent = new Peer();
    ends.push(() => agent.stop());
    const line = agent.path('line');
    const says = (text: string): void => writeFileSync(line, text);
    says('ready 50%\n');
    const port = await freePort();
    const answer = `SYSTEM:cat ${line}`;
    await agent.start('socat', [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`, answer], [port]);
    const sluice = await Sluice.run(
      JSON.stringify({
        version: 1,
        listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
        pools: { app: { backends: [backend.address], agentCheck: { port, interval: '100ms' } } },
        admin: { bind: '127.0.0.1:0' },
      }),
    );
    ends.push(() => sluice.stop());
    const path = `/api/v1/pools/app/backends/${backend.address}`;
    const shows = (wanted: object) =>
      eventually(async () => expect(JSON.parse((await sluice.ask(path)).body)).toMatchObject(wanted));
    await shows({ weight: 0.5, effective: 'ready', agent: { answer: 'ready 50%', problem: null } });
    says('drain weight:3 maxconn:30\n');
    await shows({ weight: 3, limit: 30, effective: 'drain', layers: { operator: 'ready', source: 'drain' } });
    says('maint\n');
    await shows({ effective: 'maint', unavailable: 'maint' });
    says('ready, 100%\r\nup\n');
    await shows({ effective: 'ready', weight: 1, unavailable: null });
    says('stopped #upgrade\n');
    await shows({ health: 'down', unavailable: 'down' });
    await sluice.logged(({ msg, detail }) => msg === 'backend down' && detail === 'Agent: stopped #upgrade');
    says('up and running\n');
    await shows({ health: 'up', agent: { problem: '"and" means nothing' } });
    says('up');
    await shows({
      health: 'up',
      agent: { answer: 'up and running', problem: 'The answer has no end of line' },
    });
    const headers = { 'content-type': 'application/json' };
    await sluice.ask(path, 'PATCH', headers, JSON.stringify({ state: 'drain', weight: 7 }));
    says('ready 10%\n');
    await shows({ agent: { answer: 'ready 10%' }, weight: 7, effective: 'drain' });
  });
});
