import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Explanation } from '../../src/core/explain/explanation.ts';
import { connected, nextText } from '../support/backends.ts';
import { backendOfTest, sluiceOfTest } from '../support/of-test.ts';
import { Sluice } from '../support/sluice.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));

afterAll(() => rmSync(folder, { recursive: true }));

describe('sluice explain', () => {
  it('says why routes do not match, which one does, and who is dialed', async () => {
    const { exit, stdout, stderr } = await explained(
      ...['-c', 'config/sni.yaml', '--listener', 'https', '--client', '10.1.2.3'],
      ...['--sni', 'GRPC.example.com', '--alpn', 'h2, http/1.1'],
    );
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      `client     10.1.2.3
listener   https, 0 connections
says       tls, sni grpc.example.com, alpn h2 http/1.1
routes[0]  to api: sni: wanted api.example.com or *.api.example.com, seen grpc.example.com
routes[1]  to grpc: matches
fallback   to site: not reached
pool       grpc, round-robin, 0 connections
           127.0.0.1:9445, weight 1, 0 connections: candidate
outcome    dials 127.0.0.1:9445
`,
    );
  });

  it('says what the proxy does about a client that is silent', async () => {
    const { stdout } = await explained(
      ...['-c', 'config/one-port.yaml', '--listener', 'entry', '--client', '192.0.2.1'],
    );
    expect(stdout).toMatch(/^waits +up to 500ms for the bytes that routes ask for, in vain$/m);
    expect(stdout).toMatch(/^routes\[1\] +to https: needs protocol, which is not known$/m);
    expect(stdout).toMatch(/^fallback +to mysql: taken$/m);
  });

  it('reads the first bytes from a file, believes their header, and prints JSON', async () => {
    const hello = join(folder, 'hello.bin');
    writeFileSync(hello, 'PROXY TCP4 192.0.2.7 203.0.113.9 5000 443\r\nSSH-2.0-x\r\n');
    const config = file({ proxyProtocol: { mode: 'required', from: ['10.0.0.0/8'] } });
    const { exit, stdout } = await explained(
      ...['-c', config, '--listener', 'web', '--client', '10.0.0.1', '--bytes-file', hello, '--json'],
    );
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      client: { address: '192.0.2.7', announcedBy: '10.0.0.1' },
      proxyHeader: 'announces',
      seen: { protocol: 'ssh' },
      routes: [{ verdict: 'matches', to: { split: { one: 2, both: 1 }, next: 'one' } }],
      outcome: { kind: 'dial', backend: '127.0.0.1:9001', certainty: 'certain' },
    });
    const other = await explained(...['-c', config, '--listener', 'web', '--client', '8.8.8.8']);
    expect(other.stdout).toMatch(/^outcome +refused, bad-proxy-header: the client sees RST$/m);
  });

  it('names the listeners where it does not know the one that was asked about', async () => {
    const { exit, stderr } = await explained('-c', file({}), '--listener', 'wob', '--client', '::1');
    expect(exit).toBe(2);
    expect(stderr).toBe('sluice: --listener: Expected the name of a listener (web), found "wob"\n');
  });
});

describe('POST /api/v1/explain', () => {
  it('says where the next connection goes, as often as it is asked', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const backends = await Promise.all(
      names.map((name) => backendOfTest((socket) => void socket.write(name))),
    );
    const [a = '', b = '', c = '', d = ''] = backends.map(({ address }) => address);
    const sluice = await sluiceOfTest(
      JSON.stringify({
        version: 1,
        workers: 1,
        listeners: { web: { bind: '127.0.0.1:0', routes: [{ split: { one: 2, both: 1 } }] } },
        pools: {
          one: { backends: [{ address: a, weight: 2 }, b] },
          both: {
            balance: 'first',
            backends: [{ address: c, maxConnections: 1 }, d],
          },
        },
        admin: { bind: '127.0.0.1:0' },
      }),
    );
    const went: string[] = [];
    for (let visit = 0; visit < 9; visit++) {
      const said = [await asked(sluice), await asked(sluice)];
      expect(said[1]).toEqual(said[0]);
      const client = await connected(sluice.port('web'));
      const name = await nextText(client);
      went.push(name);
      const backend = backends[names.indexOf(name)]?.address;
      expect(said[0]?.outcome).toMatchObject({ kind: 'dial', backend });
    }
    // Two of three by weight 2:1, the third to its first until that is full.
    expect(went.toSorted().join('')).toBe('aaaabbcdd');
  });

  it('says what is wrong with what it is asked', async () => {
    const sluice = await sluiceOfTest(JSON.stringify({ ...document({}), admin: { bind: '127.0.0.1:0' } }));
    const answer = await sluice.api('POST explain', { listener: 'wob', client: '::1' });
    expect(answer).toEqual({
      code: 400,
      body: { error: 'listener: Expected the name of a listener (web), found "wob"' },
    });
  });
});

async function asked(sluice: Sluice): Promise<Explanation> {
  const { code, body } = await sluice.api('POST explain', { listener: 'web', client: '127.0.0.1' });
  expect(code, JSON.stringify(body)).toBe(200);
  return body; // Its shape is checked by the tests of `explain`.
}

async function explained(...args: readonly string[]) {
  const sluice = Sluice.spawn(['explain', ...args]);
  onTestFinished(() => sluice.stop());
  const exit = await sluice.ended;
  return { exit, stdout: sluice.stdout, stderr: sluice.stderr };
}

function file(listener: object): string {
  const path = join(folder, `${JSON.stringify(listener).length}.yaml`);
  writeFileSync(path, JSON.stringify(document(listener)));
  return path;
}

function document(listener: object) {
  return {
    version: 1,
    listeners: {
      web: {
        bind: '127.0.0.1:0',
        pool: 'both',
        routes: [{ when: { protocol: 'ssh' }, split: { one: 2, both: 1 } }],
        ...listener,
      },
    },
    pools: {
      one: { backends: ['127.0.0.1:9001'] },
      both: { backends: ['127.0.0.1:9001', '127.0.0.1:9002'] },
    },
  };
}
