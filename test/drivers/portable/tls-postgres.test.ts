import { once } from 'node:events';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Address } from '../../../src/core/contract.ts';
import { firstRequest } from '../../../src/drivers/portable/tls/first-request.ts';
import { readAll, readBytes } from '../../conformance/peers.ts';
import type { Rig } from '../../conformance/rig.ts';
import { clientHello, echoed, listenerTls, tlsRig } from './tls-rig.ts';

const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const gssencRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);

let rig: Rig;
let address: Address;

beforeEach(async () => {
  ({ rig, address } = await tlsRig(listenerTls()));
});

afterEach(async () => {
  await rig.dispose();
  expect(rig.violations).toEqual([]);
});

async function secured(socket: Socket): Promise<tls.TLSSocket> {
  const client = tls.connect({ socket, rejectUnauthorized: false, servername: 'service.example' });
  await once(client, 'secureConnect');
  return client;
}

test('Driver says yes to a postgres client that asks for TLS', async () => {
  const socket = await rig.client(address);
  socket.write(sslRequest);
  expect(await readBytes(socket, 1)).toBe('S');
  expect(await echoed(await secured(socket), 'select 1')).toBe('select 1');
  expect(await rig.event('ended')).toMatchObject({ bytesToBackend: 8, bytesToClient: 8 });
});

test('Driver says yes to a postgres client whose request comes byte by byte', async () => {
  const socket = await rig.client(address);
  for (const byte of sslRequest) {
    socket.write(Buffer.of(byte));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  }
  expect(await readBytes(socket, 1)).toBe('S');
  await secured(socket);
});

test('Driver says no to GSSAPI, and yes to TLS after that', async () => {
  const socket = await rig.client(address);
  socket.write(gssencRequest);
  expect(await readBytes(socket, 1)).toBe('N');
  socket.write(sslRequest);
  expect(await readBytes(socket, 1)).toBe('S');
  await secured(socket);
});

const refused: Readonly<Record<string, { readonly bytes: Buffer; readonly answer: string }>> = {
  'that sends a hello behind its request': {
    bytes: Buffer.concat([sslRequest, await clientHello()]),
    answer: '',
  },
  'that sends plain bytes behind its request': {
    bytes: Buffer.concat([sslRequest, Buffer.from('Q\0\0\0\rselect 1\0')]),
    answer: '',
  },
  'that asks for GSSAPI again and again': {
    bytes: Buffer.concat([gssencRequest, gssencRequest]),
    answer: 'N',
  },
  'that does not ask for TLS': {
    bytes: Buffer.from([0, 0, 0, 8, 0, 3, 0, 0]),
    answer: '',
  },
};

for (const [title, { bytes, answer }] of Object.entries(refused)) {
  test(`Driver refuses a postgres client ${title}`, async () => {
    const socket = await rig.client(address);
    socket.write(bytes);
    await rig.event('secure-failed');
    expect((await readAll(socket)).toString()).toBe(answer);
    socket.end();
    expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToBackend: 0 });
    expect(rig.count('secure-failed')).toBe(0);
  });
}

for (const [title, again] of [
  ['asks again', sslRequest],
  ['asks for GSSAPI', gssencRequest],
  ['goes on in plain text', Buffer.from('Q\0\0\0\rselect 1\0')],
] as const) {
  test(`Driver refuses a postgres client that ${title} once it was told yes`, async () => {
    const socket = await rig.client(address);
    socket.write(sslRequest);
    expect(await readBytes(socket, 1)).toBe('S');
    socket.write(again);
    await rig.event('secure-failed');
    socket.end();
    expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToBackend: 0 });
  });
}

test('A first request is told by as few bytes as show it', () => {
  expect(firstRequest(Buffer.of())).toBe('more');
  expect(firstRequest(Buffer.of(0x16))).toBe('tls');
  expect(firstRequest(Buffer.of(0x15))).toBe('neither');
  expect(firstRequest(Buffer.of(0))).toBe('more');
  expect(firstRequest(Buffer.of(0, 0, 0, 9))).toBe('neither');
  expect(firstRequest(sslRequest.subarray(0, 7))).toBe('more');
  expect(firstRequest(Buffer.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2e))).toBe('neither');
  expect(firstRequest(Buffer.concat([gssencRequest, sslRequest]))).toBe('gssenc-request');
});
