/** Where sluice ends the TLS, the name that a client asks for is known from the handshake, or never. */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { named, nextText } from '../support/backends.ts';
import { certificateFiles } from './certificate-files.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene();
const [certificate, other] = [certificateFiles('secret.example'), certificateFiles('other.example')];

/** Only the name says where a client goes, and longer than a test may take would be waited for anything else. */
async function open(inspect: object = {}): Promise<Proxied> {
  const [fallback, secret] = [await scene.backend(named('fallback')), await scene.backend(named('secret'))];
  return scene.proxy({
    backends: [fallback.address],
    listener: {
      tls: { certificates: [certificate, other] },
      refuseWith: 'close',
      inspect: { timeout: '60s', ...inspect },
      routes: [{ when: { sni: 'secret.example' }, pool: 'secret' }],
    },
    pools: { secret: { backends: [secret.address] } },
  });
}

/** What a client hears that says nothing inside TLS; of a long hello some 20 KiB are protocols that nobody knows. */
async function heard({ port }: Proxied, servername: string, isLong = false): Promise<string> {
  const protocols = Array.from({ length: 80 }, (_, i) => `${i}`.padEnd(250, 'x'));
  const client: TLSSocket = connect({
    socket: scene.client(port),
    servername,
    rejectUnauthorized: false,
    ...(isLong && { ALPNProtocols: protocols }),
  });
  client.on('error', () => {});
  await once(client, 'secureConnect');
  if (servername === 'other.example') expect(client.getPeerCertificate().subject.CN).toBe(servername);
  return nextText(client);
}

const unclear = ['secret.example..', 'secret..example', 'secret.example/', 'ä.example'];

it('A client without a clear name is refused as soon as the handshake is done', async () => {
  const proxy = await open();
  for (const name of unclear) expect(await heard(proxy, name), name).toBe('');
  expect(await proxy.ended(unclear.length)).toEqual({ 'no-route': unclear.length });
});

it('A client without a clear name goes to the fallback at once where it may', async () => {
  const proxy = await open({ undecided: 'fallback' });
  for (const name of unclear) expect(await heard(proxy, name), name).toBe('fallback');
});

it('A hello beyond inspect.maxBytes gets the certificate and the route of its name', async () => {
  const proxy = await open();
  expect(await heard(proxy, 'secret.example', true)).toBe('secret');
  expect(await heard(proxy, 'Secret.Example.', true)).toBe('secret');
  expect(await heard(proxy, 'other.example', true)).toBe('fallback');
  expect(await heard(proxy, '', true)).toBe('fallback');
  for (const name of unclear) expect(await heard(proxy, name, true), name).toBe('');
  expect(await proxy.ended(unclear.length)).toEqual({ 'no-route': unclear.length });
});
