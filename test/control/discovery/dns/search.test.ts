import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Questions } from '../../../../src/control/discovery/dns/questions.ts';
import { type DnsAnswer, startDnsServer } from '../../../support/dns-server.ts';

const a = (address: string) => ({ type: 'A', address, ttl: 60 }) as const;
const srv = (target: string, port: number) =>
  ({ type: 'SRV', priority: 0, weight: 0, port, target }) as const;

async function server(zone: Record<string, DnsAnswer>) {
  const started = await startDnsServer(zone);
  onTestFinished(() => started.close());
  return started;
}

/** Questions on a system with this file; the servers in it have their ports behind them. */
async function onSystem(text: string, servers: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'resolv.conf');
  await writeFile(file, text);
  const questions = new Questions({ servers, timeoutMs: 2_000 }, { file, env: {}, hostName: 'box' });
  onTestFinished(() => questions.close());
  return { questions, rewrite: (other: string) => writeFile(file, other) };
}

describe('a short name', () => {
  it('is completed in the order of the search domains, and only then asked for as it is', async () => {
    const dns = await server({ 'app.b.test': [a('10.0.0.1')], app: [a('10.6.6.6')] });
    const { questions } = await onSystem(`nameserver ${dns.address}\nsearch a.test b.test\n`);
    expect(await questions.addresses('app')).toMatchObject({ value: ['10.0.0.1'], ttlMs: 60_000 });
    expect(new Set(dns.questions)).toEqual(
      new Set(['A app.a.test', 'AAAA app.a.test', 'A app.b.test', 'AAAA app.b.test']),
    );
  });

  it.each([
    [1, '10.0.0.1'],
    [5, '10.0.0.2'],
  ])('with dots goes by ndots:%s', async (ndots, address) => {
    const dns = await server({ 'app.ns': [a('10.0.0.1')], 'app.ns.a.test': [a('10.0.0.2')] });
    const { questions } = await onSystem(
      `nameserver ${dns.address}\nsearch a.test\noptions ndots:${ndots}\n`,
    );
    expect(await questions.addresses('app.ns')).toMatchObject({ value: [address] });
    expect(await questions.addresses('app.ns.')).toMatchObject({ value: ['10.0.0.1'] });
  });

  it('is completed for name servers of our own as well', async () => {
    const dns = await server({ 'app.a.test': [a('10.0.0.1')] });
    const { questions } = await onSystem('search a.test\n', [dns.address]);
    expect(await questions.addresses('app')).toMatchObject({ value: ['10.0.0.1'] });
  });

  it('of a service is completed too, and the hosts in its records are not', async () => {
    const dns = await server({
      '_pg._tcp.db.a.test': [srv('host.test', 5432)],
      'host.test': [a('10.0.0.1')],
      'host.test.a.test': [a('10.6.6.6')],
    });
    const { questions } = await onSystem(`nameserver ${dns.address}\nsearch a.test\noptions ndots:5\n`);
    expect(await questions.services('_pg._tcp.db', false)).toMatchObject([{ name: 'host.test' }]);
    expect(await questions.addresses('host.test.')).toMatchObject({ value: ['10.0.0.1'] });
  });

  it('passes by a domain whose server fails, unless its addresses are known', async () => {
    const dns = await server({ 'app.a.test': 'servfail', 'app.b.test': [a('10.0.0.2')] });
    const { questions } = await onSystem('search a.test b.test\n', [dns.address]);
    expect(await questions.addresses('app')).toMatchObject({ value: ['10.0.0.2'] });
    await expect(questions.addresses('app', ['10.0.0.1'])).rejects.toThrow('ESERVFAIL');
  });
});

describe('a resolv.conf that changes', () => {
  it('is followed for addresses and services', async () => {
    const before = await server({ 'app.test': [a('10.0.0.1')], '_pg._tcp.test': [srv('a.test', 1)] });
    const after = await server({ 'app.test': [a('10.0.0.2')], '_pg._tcp.test': [srv('b.test', 2)] });
    const { questions, rewrite } = await onSystem(`nameserver ${before.address}\n`);
    expect(await questions.addresses('app.test')).toMatchObject({ value: ['10.0.0.1'] });
    expect(await questions.services('_pg._tcp.test', false)).toMatchObject([{ port: 1 }]);
    await rewrite(`nameserver ${after.address}\n`);
    expect(await questions.services('_pg._tcp.test', true)).toMatchObject([{ port: 2 }]);
    expect(await questions.addresses('app.test', ['10.0.0.1'])).toMatchObject({ value: ['10.0.0.2'] });
  });
});

describe('SRV records', () => {
  it('that lead nowhere are left out: port 0, and the root as the target', async () => {
    const dns = await server({
      '_pg._tcp.test': [srv('a.test', 0), srv('', 5432), srv('b.test', 5432)],
      '_none._tcp.test': [srv('', 0)],
    });
    const { questions } = await onSystem('', [dns.address]);
    expect(await questions.services('_pg._tcp.test', false)).toMatchObject([{ name: 'b.test', port: 5432 }]);
    await expect(questions.services('_none._tcp.test', false)).rejects.toThrow('leads to a host and a port');
  });
});
