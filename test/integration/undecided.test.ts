import { describe, expect, it } from 'vitest';
import { ending, nextText } from '../support/backends.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene();
const padding = (bytes: number) => `Cookie: ${'x'.repeat(bytes)}\r\n`;
const host = 'Host: secret.example\r\n';

/** A listener that sends secret.example to a pool of its own, by either name, and others to the fallback. */
async function open(undecided?: 'fallback') {
  const named = (name: string) => (socket: { write(text: string): unknown }) => socket.write(name);
  const [fallback, secret] = [
    await scene.backend(named('fallback')),
    await scene.backend(named('secret')),
  ] as const;
  const proxy = await scene.proxy({
    backends: [fallback.address],
    listener: {
      inspect: { timeout: '60s', ...(undecided && { undecided }) },
      routes: [
        { when: { httpHost: 'secret.example' }, pool: 'secret' },
        { when: { sni: 'secret.example' }, pool: 'secret' },
      ],
    },
    pools: { secret: { backends: [secret.address] } },
  });
  return { proxy, fallback, secret };
}

async function answered({ port }: Proxied, said: string | Uint8Array): Promise<string> {
  const client = scene.client(port);
  client.write(typeof said === 'string' ? Buffer.from(said, 'latin1') : said);
  const name = await nextText(client);
  client.destroy();
  return name;
}

describe('A listener with routes by name', () => {
  it('reads heads as servers do', async () => {
    const { proxy } = await open();
    for (const head of [
      `GET / HTTP/1.1\r\n${host}\r\n`,
      'GET / HTTP/1.1\nHost: secret.example\n\n',
      `\r\n\r\nGET / HTTP/1.1\r\n${host}\r\n`,
      `GET http://secret.example/ HTTP/1.1\r\n${host}\r\n`,
      `GET / HTTP/1.1\r\n${padding(15_000)}${host}\r\n`,
    ])
      expect(await answered(proxy, head), head.slice(0, 80)).toBe('secret');
  });

  const undecided: readonly (string | Uint8Array)[] = [
    `GET / HTTP/1.1\r\n${padding(20_000)}${host}\r\n`,
    `GET http://public.example/ HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\nHost: public.example\r\n${host}\r\n`,
    'GET / HTTP/1.1\r\nHost : secret.example\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    `GET\t/\tHTTP/1.1\r\n${host}\r\n`,
    'GET /\r\n',
    Uint8Array.of(0x16, 3, 1, 0, 0, 0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0),
    Uint8Array.of(0x16, 3, 1, 0x40, 0, 1, 0, 0x4f, 0xfc, ...new Uint8Array(16_380)),
  ];

  it('refuses what leaves open which name is asked for, and asks no backend', async () => {
    const { proxy, fallback, secret } = await open();
    for (const said of undecided) {
      const client = scene.client(proxy.port);
      const end = ending(client);
      client.write(said);
      expect(await end, String(said).slice(0, 80)).toEqual({ text: '', reset: true });
    }
    expect(await proxy.ended(undecided.length)).toEqual({ 'no-route': undecided.length });
    expect(fallback.total + secret.total).toBe(0);
  });

  it('takes the fallback for it where it is told to', async () => {
    const { proxy } = await open('fallback');
    for (const said of undecided)
      expect(await answered(proxy, said), String(said).slice(0, 80)).toBe('fallback');
  });

  it('gives the fallback at once to whom no route can match any more', async () => {
    const { proxy } = await open();
    // Longer than the test may take would be waited for.
    for (const said of ['\0', '{', 'x\n', 'SSH-', '\x80\x01', '\x16\x10', 'HELLO\r\n'])
      expect(await answered(proxy, said), JSON.stringify(said)).toBe('fallback');
  });

  it('waits for no byte that no hello can have, where it asks for names in hellos alone', async () => {
    const web = await scene.backend((socket) => socket.write('web'));
    const proxy = await scene.proxy({
      backends: [web.address],
      listener: { inspect: { timeout: '60s' }, routes: [{ when: { sni: 'secret.example' }, pool: 'other' }] },
      pools: { other: { backends: ['127.0.0.1:1'] } },
    });
    for (const said of ['x', 'G', 'S', '\r'])
      expect(await answered(proxy, said), JSON.stringify(said)).toBe('web');
  });
});
