/** Checks of every kind while the process has no descriptor for them: nothing is held against whom they ask. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenOn } from '../conformance/peers.ts';
import { startBackend } from '../support/backends.ts';
import { authority } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { type LogLine, Sluice } from '../support/sluice.ts';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

describe.skipIf(!canLimit)('Checks without descriptors (skipped without prlimit)', () => {
  it('leave every verdict as it was, and are told of once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const { plain, secure, unix } = await backends(folder);
    const kinds = {
      tcp: asked(plain, { type: 'tcp' }),
      http: asked(plain, { type: 'http' }),
      'send-expect': asked(plain, { type: 'send-expect', send: 'PING\r\n', expect: '+PONG' }),
      tls: asked(secure, { type: 'tls' }, { tls: { ca: 'ca.pem' } }),
      https: asked(secure, { type: 'https' }, { tls: { ca: 'ca.pem' } }),
      proxied: asked(plain, { type: 'tcp' }, { proxyProtocol: 'v1' }),
      unix: asked(unix, { type: 'http' }),
      agent: {
        backends: [plain],
        agentCheck: { port: Number(plain.split(':')[1]), send: 'state\n', interval: '50ms', timeout: '5s' },
      },
    };
    const names = Object.keys(kinds);
    const config = {
      version: 1,
      listeners: Object.fromEntries(names.map((pool) => [pool, { bind: '127.0.0.1:0', pool }])),
      pools: kinds,
    };
    const sluice = await Sluice.runIn(folder, JSON.stringify(config));
    onTestFinished(() => void sluice.stop());
    const verdicts = () => sluice.lines.filter(isVerdict).map(({ pool, msg }) => `${pool}: ${msg}`);
    const wanted = names.map(
      (name) => `${name}: ${name === 'agent' ? 'agent says something else' : 'backend up'}`,
    );
    await eventually(() => expect(verdicts().toSorted()).toEqual(wanted.toSorted()));

    limit(sluice.pid, 5);
    await sluice.logged(({ msg }) => msg === blocked);
    // Each is due ten times.
    await new Promise((resolve) => setTimeout(resolve, 500));
    limit(sluice.pid, 1_024);
    await sluice.logged(({ msg }) => msg === resumed);

    expect(verdicts().toSorted()).toEqual(wanted.toSorted());
    const told = sluice.lines.filter(({ msg }) => msg === blocked || msg === resumed);
    expect(told).toMatchObject([
      { level: 'warn', detail: 'This process has no file descriptor left' },
      { level: 'info' },
    ]);
  });
});

const blocked = 'health checks cannot be made, the last verdicts stand';
const resumed = 'health checks are made again';

function isVerdict({ msg }: LogLine): boolean {
  return /^backend (up|down)$|^agent /.test(String(msg));
}

function asked(backend: string, check: object, connect: object = {}): object {
  const healthCheck = { interval: '50ms', timeout: '5s', rise: 1, fall: 1, ...check };
  return { backends: [backend], connect, healthCheck };
}

/** They answer whatever a check or an agent is asked. */
async function backends(folder: string) {
  const ca = authority('Backends');
  writeFileSync(join(folder, 'ca.pem'), ca.cert);
  const server = createServer(ca.issue({ names: ['127.0.0.1'] }), answer).on('tlsClientError', () => {});
  const address = await listenOn(server, { host: '127.0.0.1', port: 0 });
  const plain = await startBackend(answer);
  const path = join(folder, 'backend.sock');
  const unix = await startBackend(answer, { path });
  onTestFinished(async () => {
    server.close();
    await plain.close();
    await unix.close();
  });
  if (!('port' in address)) throw new Error('Expected a port');
  return { plain: plain.address, secure: `127.0.0.1:${address.port}`, unix: `unix:${path}` };
}

function answer(socket: Socket): void {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    const said = bytes.toString('latin1');
    if (said.startsWith('GET')) socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    if (said.startsWith('PING')) socket.end('+PONG\r\n');
    if (said.startsWith('state')) socket.end('up\n');
  });
}

/** util-linux's prlimit changes the limit of a running process. */
function limit(pid: number, descriptors: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:`]);
}
