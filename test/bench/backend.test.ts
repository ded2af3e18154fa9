import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { leanBackend } from '../../bench/stage/compiled.ts';
import { cleanUp } from '../../bench/stage/processes.ts';

const executable = await leanBackend();

describe.skipIf(executable === undefined)('the backend in C', () => {
  afterAll(cleanUp);

  it('answers each request, and ends the connection behind the answer that is to be the last', async () => {
    const backend = spawn(executable ?? '', { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [port] = (await once(backend.stdout, 'data')) as [Buffer];
      const client = connect({ port: Number(port), host: '127.0.0.1' });
      const keepAlive = 'GET / HTTP/1.1\r\n\r\n';
      client.write(keepAlive + keepAlive);
      await once(client, 'data');
      client.write('GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
      expect(await text(client)).toMatch(/Connection: close\r\n\r\nHello, world\n$/);
    } finally {
      backend.kill('SIGKILL');
    }
  });
});
