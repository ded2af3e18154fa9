/** The script of docs/operating.md that restarts two backends, with clients that come all the time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { connected, ending, named, nextText, startBackend, type TestBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { sluiceOfTest } from '../support/of-test.ts';
import { pageText } from '../support/pages.ts';
import { executable, nodeBinary } from '../support/sluice.ts';

/** A backend that says its name, and is another one after each restart on the same port. */
class Restarted {
  readonly #name: string;
  #running: TestBackend;
  restarts = 0;

  static async start(name: string): Promise<Restarted> {
    const started = new Restarted(name, await startBackend(named(`${name} 0`)));
    onTestFinished(() => started.#running.close());
    return started;
  }

  private constructor(name: string, running: TestBackend) {
    this.#name = name;
    this.#running = running;
  }

  get address(): string {
    return this.#running.address;
  }

  async restart(): Promise<void> {
    const { port } = this.#running;
    await this.#running.close();
    this.restarts++;
    this.#running = await startBackend(named(`${this.#name} ${this.restarts}`), { host: '127.0.0.1', port });
  }
}

/** Restarts the backend whose address it is sent, and ends the connection once that is done. */
async function restarter(backends: readonly Restarted[]): Promise<number> {
  const server = createServer((socket) => {
    socket.once('data', async (address) => {
      await backends.find((one) => one.address === address.toString().trim())?.restart();
      socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port; // It listens on a port.
}

it('The script for a rolling restart loses no client, and waits for long sessions', async () => {
  const [one, two] = [await Restarted.start('one'), await Restarted.start('two')];
  const sluice = await sluiceOfTest(
    JSON.stringify({
      version: 1,
      workers: 2,
      listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
      pools: {
        app: { backends: [one.address, two.address], healthCheck: { type: 'tcp', interval: '100ms' } },
      },
      admin: { bind: '127.0.0.1:0' },
    }),
  );
  const web = sluice.port('web');
  const long = await connected(web);
  const [servedBy = ''] = (await nextText(long)).split(' ');
  const its = servedBy === 'one' ? one : two;

  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  writeFileSync(join(folder, 'sluice'), `#!/bin/sh\nexec '${nodeBinary}' '${executable}' "$@"\n`);
  chmodSync(join(folder, 'sluice'), 0o755);
  const [script = ''] =
    /(?<=## A rolling restart[^`]*```sh\n)[^`]*/.exec(pageText('docs/operating.md')) ?? [];
  const restart = `restart() { exec 3<>/dev/tcp/127.0.0.1/${await restarter([one, two])}; echo "$1" >&3; read -r <&3; true; }`;
  const own = script
    .replace(/^restart\(\).*$/m, restart)
    .replace('127.0.0.1:9001', one.address)
    .replace('127.0.0.1:9002', two.address);
  expect(own).toContain(restart);
  const bash = spawn('bash', ['-c', own], {
    env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, SLUICE_ADMIN: String(sluice.adminPort) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  bash.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const over = once(bash, 'close');
  let isOver = false;
  void over.then(() => {
    isOver = true;
  });

  const visits: Promise<string>[] = [];
  const come = setInterval(() => visits.push(nameAt(web)), 5);
  onTestFinished(() => clearInterval(come));
  await eventually(async () => {
    const { pools } = await sluice.status();
    expect(pools['app']?.backends.find(({ address }) => address === its.address)?.unavailable).toBe(
      'drained',
    );
  }, 45_000);
  expect([its.restarts, isOver]).toEqual([0, false]);
  const ended = ending(long);
  long.end();
  expect(await ended).toEqual({ text: '', reset: false });
  const [code] = await over;
  expect([code, said.match(/: ready, weight 1, /g)?.length]).toEqual([0, 2]);
  expect([one.restarts, two.restarts]).toEqual([1, 1]);
  const before = visits.length;
  await eventually(() => expect(visits.length).toBeGreaterThan(before + 10));
  clearInterval(come);

  const names = await Promise.all(visits);
  expect(names.filter((name) => !/^(one|two) [01]$/.test(name))).toEqual([]);
  expect(new Set(names)).toEqual(new Set(['one 0', 'two 0', 'one 1', 'two 1']));
}, 120_000);

/** Which backend a client gets; empty where it is lost. */
async function nameAt(port: number): Promise<string> {
  const client = connect({ port, host: '127.0.0.1' });
  const name = await nextText(client).catch(() => '');
  client.on('error', () => {}).destroy();
  return name;
}
