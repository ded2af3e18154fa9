/** The pages tried literally: each configuration serves, commands have their options, output is what is printed. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { connected, ending, startBackend, type TestBackend } from '../../support/backends.ts';
import {
  type Block,
  blocks,
  pageConfigs,
  pageText,
  root,
  shellLines,
  tableRows,
  userPages,
} from '../../support/pages.ts';
import { installed, output, run, skippedWithout } from '../../support/programs.ts';
import { executable, nodeBinary, Sluice } from '../../support/sluice.ts';
import { hasNginxStream, loadStreamModule } from '../peers/nginx.ts';
import { web } from './web.ts';

const sluice = (...args: readonly string[]) => run(nodeBinary, [executable, ...args]);

describe.skipIf(!installed('openssl'))(`Configurations in pages ${skippedWithout('openssl')}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const certified = (async () => {
    mkdirSync(join(folder, 'config'));
    cpSync(join(root, 'config/make-certs.sh'), join(folder, 'config/make-certs.sh'));
    await output('sh', [join(folder, 'config/make-certs.sh')]);
  })();
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(pageConfigs)('%s serves a client, and stops', async (_, text) => {
    await certified;
    const servers = new Map<string, TestBackend>();
    for (const [, address = ''] of text.matchAll(/\b((?:10|127)\.\d+\.\d+\.\d+:\d+)\b/g)) {
      if (!servers.has(address)) servers.set(address, await startBackend(web(address)));
    }
    const own = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    symlinkSync(join(folder, 'config'), join(own, 'config'), 'dir');
    const running = await Sluice.runIn(own, moved(text, servers));
    try {
      const [, listener = ''] = /^listeners:\n {2}([\w-]+):/m.exec(text) ?? [];
      expect(await answer(running.port(listener), text)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      running.signal('SIGTERM');
      expect(await running.ended, running.stderr).toBe(0);
    } finally {
      await running.stop();
      for (const server of servers.values()) await server.close();
    }
  });
});

/** At ports of the test's own; whoever announces clients does so from loopback, and nobody waits for a delayed stop. */
function moved(text: string, servers: ReadonlyMap<string, TestBackend>): string {
  return text
    .replaceAll(/(?<=bind: )(?:127\.0\.0\.1)?:\d+/g, '127.0.0.1:0')
    .replaceAll(
      /\b(?:10|127)\.\d+\.\d+\.\d+:[1-9]\d*\b/g,
      (address) => servers.get(address)?.address ?? address,
    )
    .replace('from: [10.0.0.0/8]', 'from: [127.0.0.0/8]')
    .replace('admin: {}', 'admin: { bind: 127.0.0.1:0 }')
    .replace('delay: 5s', 'delay: 0s');
}

/** What a request gets from the listener, over TLS or after a header where the configuration wants that. */
async function answer(port: number, config: string): Promise<string> {
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
  if (/^ {4}tls:/m.test(config)) {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    socket.write(request);
    return (await ending(socket)).text;
  }
  const client = await connected(port);
  const header = /^ {4}proxyProtocol:|proxyProtocol: \{ mode: required/m.test(config)
    ? 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n'
    : '';
  client.write(header + request);
  return (await ending(client)).text;
}

describe('Commands in pages', () => {
  const lines = userPages.flatMap((page) =>
    shellLines(page)
      .flatMap((line) => line.split(' && '))
      .flatMap((line) => {
        const [, args] = /^(?:\w+=\w+ )?(?:node dist\/src\/main\.js|sluice) (.*)$/.exec(line) ?? [];
        return args === undefined ? [] : [args.split(' ')];
      }),
  );
  const names = new Set(lines.map(([name = '']) => name));

  it.each([...names])('have options that there are: %s', async (name) => {
    const { code, stdout } = await sluice(name, '-h');
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: sluice ${name} `);
    const used = lines.filter(([first]) => first === name).flatMap((words) => words.slice(1));
    for (const option of used.filter((word) => word.startsWith('-'))) {
      expect(stdout).toMatch(new RegExp(`(?:^|,) +${option}\\b`, 'm'));
    }
  });

  it('are all in a table of commands', async () => {
    const { stdout } = await sluice('-h');
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) .*/gm)].map(([, command]) => command);
    const rows = pageText('docs/operating.md').matchAll(/^\| `sluice (\w+)/gm);
    const told = new Set([...rows].map(([, command]) => command));
    expect([...told].sort()).toEqual(commands.filter((command) => command !== 'help').sort());
  });
});

describe('Output in pages', () => {
  it('is what `sluice explain` prints', async () => {
    const [, args = ''] =
      shellLines('docs/operating.md')
        .map((line) => /^sluice (explain .*)$/.exec(line))
        .find((found) => found !== null) ?? [];
    const inRoot = args.split(' ').map((word) => word.replace(/^config\//, `${root}config/`));
    const { stdout } = await sluice(...inRoot);
    expect(printed('docs/operating.md', 'client ')).toBe(stdout);
  });

  it('is what mistakes look like', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    writeFileSync(join(folder, 'bad.yaml'), bad);
    const { code, stderr } = await run('sh', [
      '-c',
      `cd '${folder}' && '${nodeBinary}' '${executable}' check -c bad.yaml`,
    ]);
    rmSync(folder, { recursive: true });
    expect(code).toBe(2);
    expect(printed('README.md', 'bad.yaml')).toBe(stderr);
  });

  it('has every metric, with its labels', async () => {
    const config = {
      listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
      admin: { bind: '127.0.0.1:0' },
    };
    const pools = { app: { backends: ['127.0.0.1:9'] } };
    const running = await Sluice.run(JSON.stringify({ version: 1, ...config, pools }));
    const { body } = await running.ask('/metrics');
    const series = [...(await running.metrics()).keys()].filter((one) => one.startsWith('sluice_'));
    await running.stop();
    const rows = tableRows(pageText('docs/operating.md'), '| metric | labels | is |');
    const documented = rows.flatMap(([names = '', labels = '']) =>
      names.split(', ').map((name) => `${name} ${labels}`),
    );
    // Of some there is a series only where there are names, or certificates.
    const all = [...body.matchAll(/^# TYPE (sluice_\w+)/gm)].map(([, name]) => `\`${name}\``);
    expect(documented.map((row) => row.split(' ', 1)[0]).sort()).toEqual(all.sort());
    const found = series.map((one) => {
      const [, name = '', labels = ''] = /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})?$/.exec(one) ?? [];
      const names = [...labels.matchAll(/(\w+)="/g)].flatMap(([, label]) =>
        label === 'le' ? [] : `\`${label}\``,
      );
      return [`\`${name}\``, names.join(', ')].join(' ');
    });
    expect(found.filter((one) => !documented.includes(one))).toEqual([]);
  });
});

describe('Configurations of others in docs/coming-from.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const written = (language: string, before = ''): string => {
    const [block] = blocks('docs/coming-from.md', language);
    const file = join(folder, language);
    writeFileSync(file, before + (block?.text ?? ''));
    return file;
  };

  it.skipIf(!installed('haproxy'))(`are right for HAProxy ${skippedWithout('haproxy')}`, async () => {
    const { code, stdout, stderr } = await run('haproxy', ['-c', '-f', written('haproxy')]);
    expect(code, stderr + stdout).toBe(0);
  });

  it.skipIf(!hasNginxStream)('are right for nginx (skipped where it has no stream module)', async () => {
    const own = `${loadStreamModule}\npid ${join(folder, 'pid')};\nerror_log stderr;\nevents {}\n`;
    const { code, stderr } = await run('nginx', ['-t', '-e', 'stderr', '-c', written('nginx', own)]);
    expect(code, stderr).toBe(0);
  });
});

const bad = `version: 1
listeners:
  web: { bind: 127.0.0.1:8080, pool: ap }
pools:
  app:
    balance: least-connections
    backends: [127.0.0.1:9001]
    connect: { timeout: 5 }
`;

/** The block without a language that begins like this. */
function printed(page: string, start: string): string | undefined {
  return blocks(page, '').find(({ text }) => text.startsWith(start))?.text;
}

it('The program that embeds sluice runs', async () => {
  const [program] = userPages.flatMap((page): readonly Block[] => blocks(page, 'js'));
  const backend = await startBackend(web('embedded'));
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/sluice'), 'dir');
  const [port = 0] = await freePorts(1);
  const file = join(folder, 'embedding.mjs');
  writeFileSync(
    file,
    (program?.text ?? '').replaceAll('127.0.0.1:9001', backend.address).replaceAll('8088', String(port)),
  );
  const { code, stdout, stderr } = await run(nodeBinary, [file]);
  rmSync(folder, { recursive: true });
  await backend.close();
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'embedded\n\n', stderr: '' });
});
