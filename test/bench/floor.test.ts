import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { cleanUp } from '../../bench/stage/processes.ts';
import { accepts } from '../../bench/stage/waits.ts';
import { floor } from '../../bench/subjects/floor.ts';
import { chooseDriver } from '../../src/drivers/drivers.ts';

const presence = await floor.presence();
const runs = 'version' in presence && chooseDriver('uring').module !== undefined;

describe.skipIf(!runs)('the floor', () => {
  afterAll(cleanUp);

  it('passes on all bytes and both ends of a connection', async () => {
    const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(
      0,
      '127.0.0.1',
    );
    await once(echo, 'listening');
    const { port: backendPort } = echo.address() as AddressInfo;
    const listenPort = await freePort();
    const proxy = started(listenPort, backendPort);
    try {
      await accepts(listenPort, AbortSignal.timeout(10_000));
      const sent = 'sluice'.repeat(100_000);
      const answers = Array.from({ length: 8 }, () => {
        const client = connect({ port: listenPort, host: '127.0.0.1', allowHalfOpen: true });
        client.end(sent);
        return text(client);
      });
      for (const answer of await Promise.all(answers)) expect(answer === sent).toBe(true);
    } finally {
      proxy.kill('SIGKILL');
      echo.close();
    }
  });
});

function started(listenPort: number, backendPort: number): ChildProcess {
  const launch = floor.launch?.({ listenPort, backendPort, directory: '', setting: {} });
  if (launch === undefined) throw new Error('It is a process');
  return spawn(launch.command, launch.args, { stdio: 'ignore' });
}
