/** What is asked of a proxy that has not started yet: it waits for a name server that does not answer. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { connected, named, startBackend, textOf } from '../support/backends.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';
import { Sluice } from '../support/sluice.ts';

const dns = await startDnsServer({ 'silent.test': 'silent' });
const backend = await startBackend(named('ok'));
afterAll(async () => {
  await dns.close();
  await backend.close();
});

let sluice: Sluice | undefined;
afterEach(() => sluice?.stop());

const configOf = (target: string, timeout: string): string =>
  JSON.stringify({
    version: 1,
    listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
    pools: { app: { backends: [target] } },
    resolver: { servers: [dns.address], timeout },
    admin: { bind: '127.0.0.1:0' },
  });

/** Asks for the name, and goes on once the time is over. */
async function starting(timeout: string, ...args: readonly string[]): Promise<Sluice> {
  const asked = dns.questions.length;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(folder, 'sluice.yaml');
  writeFileSync(file, configOf('silent.test:80', timeout));
  sluice = Sluice.spawn(['run', '-c', file, ...args], [], folder);
  await sluice.logged(({ msg }) => msg === 'admin API listening');
  await eventually(() => expect(dns.questions.length).toBeGreaterThan(asked));
  return sluice;
}

describe('a proxy that starts', () => {
  it.each([
    ['one SIGTERM', ['SIGTERM']],
    ['two SIGTERMs', ['SIGTERM', 'SIGTERM']],
    ['SIGINT', ['SIGINT']],
  ] as const)('ends at once by %s', async (_, signals) => {
    // Longer than anything here waits.
    const starts = await starting('5m');
    for (const signal of signals) starts.signal(signal);
    expect(await starts.ended, starts.stderr).toBe(0);
    expect(starts.stdout).not.toContain('"serving"');
  });

  const ways: readonly (readonly [string, readonly string[], (starts: Sluice) => void])[] = [
    ['SIGHUP', [], (starts) => starts.signal('SIGHUP')],
    ['--watch', ['--watch'], () => {}],
    ['admin API', [], (starts) => void starts.api('POST reload')],
  ];
  it.each(ways)('takes a reload by %s once it has started', async (way, args, ask) => {
    const starts = await starting('1s', ...args);
    starts.rewrite(configOf(backend.address, '1s'));
    ask(starts);
    const { trigger } = await starts.logged(({ msg }) => msg === 'configuration reloaded');
    expect(trigger).toBe(way === '--watch' ? 'file change' : way);
    const client = await connected(starts.port('web'));
    expect(await textOf(client, 2)).toBe('ok');
    client.destroy();
    expect(starts.stdout.indexOf('"serving"')).toBeLessThan(starts.stdout.indexOf('configuration reloaded'));
  });
});
