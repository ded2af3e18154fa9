import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { connected, ending, named, nextText, type TestBackend, visit } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest, sluiceOfTest } from '../support/of-test.ts';

function backend(name: string): Promise<TestBackend> {
  return backendOfTest(named(name));
}

interface Shape {
  readonly listeners?: Readonly<Record<string, number>>;
  readonly backends: readonly string[];
  readonly more?: string;
}

function config({ listeners = { web: 0 }, backends: addresses, more = '' }: Shape): string {
  const lines = Object.entries(listeners).map(
    ([name, port]) => `  ${name}: { bind: "127.0.0.1:${port}", pool: app }`,
  );
  return `
version: 1
listeners:
${lines.join('\n')}
pools:
  app:
    backends: [ ${addresses.map((address) => `"${address}"`).join(', ')} ]
${more}
admin: { bind: "127.0.0.1:0" }
`;
}

async function answers(port: number, count: number): Promise<string> {
  let all = '';
  for (let visits = 0; visits < count; visits++) {
    const client = await connected(port);
    all += await nextText(client);
    client.end();
    await ending(client);
  }
  return all;
}

describe('a reload', () => {
  it('of the same file changes nothing, not even whose turn it is', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map(backend));
    const sluice = await sluiceOfTest(
      config({ backends: all.map(({ address }) => address), more: 'workers: 1' }),
    );
    const port = sluice.port('web');
    expect(await answers(port, 1)).toBe('a');
    await sluice.reload();
    expect(await answers(port, 3)).toBe('bca');
    expect((await sluice.status()).listeners['web']?.total).toBe(4);
  });

  it('by SIGHUP takes a new backend in and lets a removed one finish', async () => {
    const [old, fresh] = [await backend('old'), await backend('new')];
    const sluice = await sluiceOfTest(config({ backends: [old.address] }));
    const port = sluice.port('web');
    const client = await connected(port);
    expect(await nextText(client)).toBe('old');
    sluice.rewrite(config({ backends: [fresh.address] }));
    sluice.signal('SIGHUP');
    await sluice.logged(({ msg }) => msg === 'configuration reloaded');
    expect(await answers(port, 3)).toBe('newnewnew');
    expect(old.open.size).toBe(1);
    client.end();
    expect(await ending(client)).toEqual({ text: '', reset: false });
    expect(old.total).toBe(1);
  });

  it('with mistakes answers with all of them, and the old configuration goes on', async () => {
    const { address } = await backend('a');
    const good = config({ backends: [address] });
    const sluice = await sluiceOfTest(good);
    sluice.rewrite(`${good}nonsense: 1\nshutdown: { grace: 30 }\n`);
    const { code, body } = await sluice.api('POST reload');
    expect(code).toBe(422);
    const errors: readonly { readonly path: string; readonly line: number }[] = body.errors;
    expect(errors.map(({ path }) => path).sort()).toEqual(['nonsense', 'shutdown.grace']);
    expect(errors.every(({ line }) => line > 1)).toBe(true);
    expect(await answers(sluice.port('web'), 1)).toBe('a');
    expect(await sluice.metric('sluice_config_reloads_total{result="failure"}')).toBe(1);
    await sluice.reload(good);
    expect(await sluice.metric('sluice_config_reloads_total{result="success"}')).toBe(1);
  });

  it('that cannot bind an address changes nothing', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    const sluice = await sluiceOfTest(config({ backends: [a.address] }));
    sluice.rewrite(config({ listeners: { web: 0, more: b.port }, backends: [b.address] }));
    const { code, body } = await sluice.api('POST reload');
    expect(code).toBe(422);
    expect(JSON.stringify(body)).toContain(`127.0.0.1:${b.port}`);
    expect(await answers(sluice.port('web'), 2)).toBe('aa');
    expect(Object.keys((await sluice.status()).listeners)).toEqual(['web']);
  });

  it('stops a removed listener from accepting while its sessions finish', async () => {
    const { address } = await backend('a');
    const port = await freePort();
    const sluice = await sluiceOfTest(config({ listeners: { web: 0, gone: port }, backends: [address] }));
    const client = await connected(port);
    expect(await nextText(client)).toBe('a');
    await sluice.reload(config({ backends: [address] }));
    await new Promise((resolve) => connect(port, '127.0.0.1').on('error', resolve));
    client.end();
    expect(await ending(client)).toEqual({ text: '', reset: false });
  });

  it('hands an address over to a listener of another name without closing it', async () => {
    const { address } = await backend('a');
    const port = await freePort();
    const sluice = await sluiceOfTest(config({ listeners: { old: port }, backends: [address] }));
    await sluice.reload(config({ listeners: { fresh: port }, backends: [address] }));
    expect(await answers(port, 2)).toBe('aa');
    expect(await sluice.metric('sluice_listener_connections_total{listener="fresh"}')).toBe(2);
  });

  it('moves the admin API and gives it another token', async () => {
    const { address } = await backend('a');
    const shape = config({ backends: [address] });
    const sluice = await sluiceOfTest(shape);
    const old = sluice.adminPort;
    await sluice.reload(
      shape.replace('admin: { bind: "127.0.0.1:0" }', `admin: { bind: "127.0.0.1:${old}", token: secret }`),
    );
    expect((await sluice.api('GET status')).code).toBe(401);
    expect((await sluice.ask('/readyz')).code).toBe(200);
  });

  it('happens by itself under --watch', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    const sluice = await sluiceOfTest(config({ backends: [a.address] }), ['--watch']);
    sluice.rewrite(config({ backends: [b.address] }));
    await sluice.logged(({ msg }) => msg === 'configuration reloaded');
    expect(await answers(sluice.port('web'), 1)).toBe('b');
  });

  it('happens under --watch for the files that the configuration names, from when it names them', async () => {
    const { address } = await backend('a');
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const list = join(folder, 'deny.txt');
    const naming = (file: string): string =>
      config({ backends: [address] }).replace('pool: app }', `pool: app, denyFile: "${file}" }`);
    writeFileSync(list, '10.0.0.0/8\n');
    const sluice = await sluiceOfTest(naming(list), ['--watch']);
    const reloads = async (result: 'success' | 'failure', count: number): Promise<void> => {
      const series = `sluice_config_reloads_total{result="${result}"}`;
      await eventually(async () => expect(await sluice.metric(series)).toBe(count));
    };

    replaceFile(list, '10.0.0.1/8\n');
    await reloads('failure', 1);
    const complaint = await sluice.logged(({ msg }) => msg === 'configuration not reloaded');
    expect(complaint).toMatchObject({ file: list, line: 1, path: 'listeners.web.denyFile' });
    rmSync(list);
    await reloads('failure', 2);
    replaceFile(list, '10.0.0.1\n');
    await reloads('success', 1);

    const other = join(folder, 'other.txt');
    sluice.rewrite(naming(other));
    await reloads('failure', 3);
    replaceFile(other, '10.0.0.2\n');
    await reloads('success', 2);
    expect(await answers(sluice.port('web'), 1)).toBe('a');
    replaceFile(other, '127.0.0.1\n');
    await reloads('success', 3);
    expect((await visit(sluice.port('web'))).reset).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('loses no connection of many, however often it comes', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    const both = config({ backends: [a.address, b.address] });
    const sluice = await sluiceOfTest(both);
    const port = sluice.port('web');
    let going = true;
    const outcomes = { served: 0, lost: 0 };
    const visitors = Array.from({ length: 8 }, async () => {
      while (going) {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        socket.on('connect', () => socket.end());
        const { text, reset } = await ending(socket);
        if (text !== '' && !reset) outcomes.served++;
        else outcomes.lost++;
      }
    });
    for (let reloads = 0; reloads < 40; reloads++) {
      await sluice.reload(reloads % 2 === 0 ? config({ backends: [b.address, a.address] }) : both);
    }
    going = false;
    await Promise.all(visitors);
    expect(outcomes.lost).toBe(0);
    expect(outcomes.served).toBeGreaterThan(100);
    await eventually(async () =>
      expect(await sluice.metric('sluice_listener_connections_active{listener="web"}')).toBe(0),
    );
  });
});

describe('a graceful stop', () => {
  it('refuses new sessions, lets open ones finish, and exits with 0 right after the last', async () => {
    const { address } = await backend('a');
    const port = await freePort();
    const sluice = await sluiceOfTest(config({ listeners: { web: port }, backends: [address] }));
    const clients = await Promise.all(Array.from({ length: 10 }, () => connected(port)));
    await Promise.all(clients.map(nextText));
    sluice.signal('SIGTERM');
    await eventually(async () => expect((await sluice.ask('/readyz'))?.code).toBe(503));
    // One that came before would be served, and waited for.
    await sluice.logged(({ msg }) => msg === 'closed');
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
    expect((await sluice.ask('/livez')).code).toBe(200);
    for (const client of clients) client.end();
    const ends = await Promise.all(clients.map(ending));
    expect(ends.every(({ reset }) => !reset)).toBe(true);
    expect(await sluice.ended).toBe(0);
    expect(sluice.sessions.map(({ reason }) => reason)).toEqual(Array(10).fill('finished'));
  });

  it('cuts what is left when the grace is over', async () => {
    const { address } = await backend('a');
    const sluice = await sluiceOfTest(config({ backends: [address], more: 'shutdown: { grace: 200ms }' }));
    const client = await connected(sluice.port('web'));
    await nextText(client);
    sluice.signal('SIGTERM');
    expect((await ending(client)).reset).toBe(true);
    expect(await sluice.ended).toBe(0);
    expect(sluice.sessions).toMatchObject([{ reason: 'drain-timeout', endedBy: 'proxy' }]);
  });

  it('is cut short by a second signal', async () => {
    const { address } = await backend('a');
    const sluice = await sluiceOfTest(config({ backends: [address] }));
    const client = await connected(sluice.port('web'));
    await nextText(client);
    sluice.signal('SIGINT');
    await sluice.logged(({ msg }) => msg === 'draining');
    sluice.signal('SIGINT');
    expect((await ending(client)).reset).toBe(true);
    expect(await sluice.ended).toBe(0);
    expect(sluice.sessions).toMatchObject([{ reason: 'drain-timeout', endedBy: 'proxy' }]);
  });

  it('at once where no session is open', async () => {
    const { address } = await backend('a');
    const sluice = await sluiceOfTest(config({ backends: [address] }));
    await answers(sluice.port('web'), 1);
    sluice.signal('SIGTERM');
    expect(await sluice.ended).toBe(0);
  });
});

/** At once, as careful editors do: a file that is being written may be read half, and then reloaded twice. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
