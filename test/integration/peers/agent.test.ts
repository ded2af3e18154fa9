/** Agents of backends, as people make them with socat. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../bench/stage/free-ports.ts';
import { named } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import { backendOfTest, sluiceOfTest } from '../../support/of-test.ts';
import { installed, skippedWithout } from '../../support/programs.ts';
import { Peer } from './peer.ts';

describe.skipIf(!installed('socat'))(`An agent of socat ${skippedWithout('socat')}`, () => {
  it('says what becomes of its backend, and an operator goes before it', async () => {
    const backend = await backendOfTest(named('one'));
    const agent = new Peer();
    onTestFinished(() => agent.stop());
    const line = agent.path('line');
    const says = (text: string): void => writeFileSync(line, text);
    says('ready 50%\n');
    const port = await freePort();
    const answer = `SYSTEM:cat ${line}`;
    await agent.start('socat', [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`, answer], [port]);
    const sluice = await sluiceOfTest(
      JSON.stringify({
        version: 1,
        listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
        pools: { app: { backends: [backend.address], agentCheck: { port, interval: '100ms' } } },
        admin: { bind: '127.0.0.1:0' },
      }),
    );
    const path = `pools/app/backends/${backend.address}`;
    const shows = (wanted: object) =>
      eventually(async () => expect((await sluice.api(`GET ${path}`)).body).toMatchObject(wanted));
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
    await sluice.api(`PATCH ${path}`, { state: 'drain', weight: 7 });
    says('ready 10%\n');
    await shows({ agent: { answer: 'ready 10%' }, weight: 7, effective: 'drain' });
  });
});
