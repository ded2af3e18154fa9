/**
 * Makes the pictures of the dashboard for the pages: `npm run screenshots`. A proxy is given backends of which one has
 * died and one is being drained, and traffic for a quarter of an hour, for that is the past that the page shows. It takes
 * Linux, whose every 127.x.y.z is loopback, and Chromium.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pastMs = 15 * 60_000;
const admin = { host: '127.0.0.2', port: 9900 };
const web = { host: '127.0.0.2', port: 8080 };
const database = { host: '127.0.0.2', port: 5432 };

const config = `
version: 1
listeners:
  web:
    bind: ${web.host}:${web.port}
    routes: [{ when: { httpHost: [canary.example.com] }, pool: canary }]
    pool: app
  database: { bind: "${database.host}:${database.port}", pool: postgres }
pools:
  app:
    balance: least-connections
    healthCheck: { type: http, path: /healthz, interval: 1s, timeout: 500ms }
    backends: [127.0.1.11:8000, 127.0.1.12:8000, 127.0.1.13:8000, { address: 127.0.1.14:8000, weight: 2 }]
  canary: { backends: [127.0.1.21:8000], healthCheck: { type: http, path: /healthz, interval: 1s } }
  postgres:
    healthCheck: { type: tcp, interval: 1s }
    backends: [127.0.2.1:5432, { address: 127.0.2.2:5432, backup: true }]
admin: { bind: "${admin.host}:${admin.port}" }
log: { level: error }
shutdown: { grace: 1s }
`;

const folder = mkdtempSync(join(tmpdir(), 'sluice-screenshots-'));
const file = join(folder, 'sluice.yaml');
writeFileSync(file, config);
const mortal = await startHttp('127.0.1.13');
for (const host of ['127.0.1.11', '127.0.1.12', '127.0.1.14', '127.0.1.21']) await startHttp(host);
for (const host of ['127.0.2.1', '127.0.2.2']) await startEcho(host);
const sluice = spawn(process.execPath, [join(root, 'dist/bundle/main.js'), 'run', file], {
  stdio: 'inherit',
});
try {
  await setTimeout(2_000);
  const traffic = startTraffic();
  await setTimeout(pastMs * 0.8);
  mortal.close();
  mortal.closeAllConnections();
  await drain();
  await setTimeout(pastMs * 0.2);
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  // Chromium refuses to be started by root with its sandbox.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  await picture(browser, 'light', '', 'dashboard.png');
  await picture(browser, 'dark', '', 'dashboard-dark.png');
  await picture(browser, 'light', 'pools/app/127.0.1.13%3A8000', 'dashboard-pool.png');
  await browser.close();
  clearInterval(traffic);
} finally {
  sluice.kill();
  await once(sluice, 'exit');
  rmSync(folder, { recursive: true });
}
process.exit();

async function picture(browser: Browser, colorScheme: 'light' | 'dark', view: string, name: string) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1120, height: 400 } });
  const page = await context.newPage();
  await page.goto(`http://${admin.host}:${admin.port}/#/${view}`);
  // Rates are those between several snapshots.
  await setTimeout(6_000);
  await page.screenshot({ path: join(root, 'docs', name), fullPage: true });
  await context.close();
}

async function startHttp(host: string) {
  const server = createServer(({ url }, response) => {
    response.end(url === '/healthz' ? 'ok' : 'x'.repeat(4_000 + Math.random() * 30_000));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(8000, host);
  await once(server, 'listening');
  return server;
}

async function startEcho(host: string): Promise<void> {
  const server = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(5432, host);
  await once(server, 'listening');
}

/** Clients that come in waves; some stay. */
function startTraffic(): NodeJS.Timeout {
  let ticks = 0;
  return setInterval(() => {
    ticks++;
    const wave = 1 + Math.sin(ticks / 700) * 0.5 + Math.sin(ticks / 160) * 0.3;
    for (let one = 0; one < wave * 4; one++) {
      visitWeb(Math.random() < 0.1 ? 'canary.example.com' : 'www.example.com', ticks % 7 === 0);
    }
    if (ticks % 3 === 0) visitDatabase();
  }, 100);
}

function visitWeb(host: string, stays: boolean): void {
  const socket = connect(web).on('error', () => {});
  socket.resume();
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: ${stays ? 'keep-alive' : 'close'}\r\n\r\n`);
  if (stays) void setTimeout(20_000 * Math.random()).then(() => socket.end());
}

function visitDatabase(): void {
  const socket = connect(database).on('error', () => {});
  socket.resume();
  socket.write('x'.repeat(2_000));
  void setTimeout(15_000 * Math.random()).then(() => socket.end());
}

async function drain(): Promise<void> {
  const path = '/api/v1/pools/app/backends/127.0.1.12:8000';
  const headers = { 'content-type': 'application/json' };
  const asked = request({ ...admin, path, method: 'PATCH', headers });
  asked.end(JSON.stringify({ state: 'drain', for: '30m', reason: 'deploy of 4.2' }));
  const [response] = await once(asked, 'response');
  response.resume();
}
