import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, it } from 'vitest';
import { ending, named, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { certificateFiles } from './certificate-files.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 1 });
const certificate = certificateFiles('a.example');

const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const gssencRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);
const query = Buffer.from('Q\0\0\0\rselect 1\0');

async function proxyWithTls(): Promise<Proxied> {
  const backend = await scene.backend(named('served'));
  return scene.proxy({
    backends: [backend.address],
    listener: { tls: { certificates: [certificate] } },
  });
}

async function secured(socket: Socket): Promise<string> {
  const client = connectTls({ socket, rejectUnauthorized: false, servername: 'a.example' });
  await once(client, 'secureConnect');
  const text = await textOf(client, 'served'.length);
  client.destroy();
  return text;
}

it('A postgres client is told yes, also byte by byte and after GSSAPI', async () => {
  const proxy = await proxyWithTls();
  const atOnce = scene.client(proxy.port);
  atOnce.write(sslRequest);
  expect(await textOf(atOnce, 1)).toBe('S');
  expect(await secured(atOnce)).toBe('served');

  const slow = scene.client(proxy.port);
  for (const byte of sslRequest) await new Promise((resolve) => slow.write(Buffer.of(byte), resolve));
  expect(await textOf(slow, 1)).toBe('S');
  expect(await secured(slow)).toBe('served');

  const asksTwice = scene.client(proxy.port);
  asksTwice.write(gssencRequest);
  expect(await textOf(asksTwice, 1)).toBe('N');
  asksTwice.write(sslRequest);
  expect(await textOf(asksTwice, 1)).toBe('S');
  expect(await secured(asksTwice)).toBe('served');
});

it.each<readonly [string, readonly [Buffer, Buffer?], string]>([
  ['with plain bytes behind its request', [Buffer.concat([sslRequest, query])], ''],
  [
    'with a handshake behind its request',
    [Buffer.concat([sslRequest, Buffer.of(0x16, 3, 1, 0, 200, 1)])],
    '',
  ],
  ['that asks for GSSAPI twice', [Buffer.concat([gssencRequest, gssencRequest])], 'N'],
  ['that begins in plain text', [Buffer.of(0, 0, 0, 8, 0, 3, 0, 0)], ''],
  ['that asks again once it was told yes', [sslRequest, sslRequest], 'S'],
  ['that asks for GSSAPI once it was told yes', [sslRequest, gssencRequest], 'S'],
  ['that goes on in plain text once it was told yes', [sslRequest, query], 'S'],
])('A postgres client %s is refused, and no backend hears of it', async (_, [first, then], answer) => {
  const proxy = await proxyWithTls();
  const client = scene.client(proxy.port);
  client.write(first);
  if (then !== undefined) {
    expect(await textOf(client, 1)).toBe(answer);
    client.write(then);
  }
  const { text, reset } = await ending(client);
  expect({ text, reset }).toEqual({ text: then === undefined ? answer : '', reset: false });
  client.end();
  await eventually(async () => expect((await proxy.reasons())['tls-failed']).toBe(1));
});
