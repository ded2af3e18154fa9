import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { named, nextText, startBackend } from '../support/backends.ts';
import { selfSigned } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { Sluice } from '../support/sluice.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const modeOf = (name: string): string => (statSync(at(name)).mode & 0o777).toString(8);

it('unix sockets have the mode that they are given, and another after a reload', async () => {
  const backend = await startBackend(named('ok'));
  const { cert, key } = selfSigned('a.example');
  writeFileSync(at('a.pem'), cert);
  writeFileSync(at('a.key'), key);
  const tls = { certificates: [{ cert: at('a.pem'), key: at('a.key') }] };
  const config = (mode: string, adminMode: string): string =>
    JSON.stringify({
      version: 1,
      workers: 1,
      listeners: {
        web: { bind: [{ address: `unix:${at('web')}`, mode }, `unix:${at('free')}`], pool: 'app' },
        secure: { bind: { address: `unix:${at('secure')}`, mode }, pool: 'app', tls },
      },
      pools: { app: { backends: [backend.address] } },
      admin: { bind: { address: `unix:${at('admin')}`, mode: adminMode } },
    });
  const sluice = await Sluice.run(config('0666', '0600'));
  try {
    expect(['web', 'secure', 'admin'].map(modeOf)).toEqual(['666', '666', '600']);
    expect(modeOf('free')).toBe((0o777 & ~process.umask()).toString(8));
    sluice.rewrite(config('0620', '660'));
    sluice.signal('SIGHUP');
    await sluice.logged(({ msg }) => msg === 'configuration reloaded');
    await eventually(() => expect(['web', 'secure', 'admin'].map(modeOf)).toEqual(['620', '620', '660']));
    const client = connect(at('web'));
    expect(await nextText(client)).toBe('ok');
    client.destroy();
    await once(client, 'close');
    expect(readdirSync(folder).toSorted()).toEqual(['a.key', 'a.pem', 'admin', 'free', 'secure', 'web']);
  } finally {
    await sluice.stop();
    await backend.close();
  }
});
