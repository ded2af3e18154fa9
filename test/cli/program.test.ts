import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { quoted } from '../../src/config/guesses.ts';
import { orList } from '../../src/config/options/terms.ts';
import { balances } from '../../src/core/balancers/table.ts';
import { version } from '../../src/version.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const before = process.cwd();
process.chdir(folder);

const good = `version: 1
listeners: { web: { bind: "127.0.0.1:8080", pool: app } }
pools: { app: { backends: ["127.0.0.1:9000"] } }
`;
writeFileSync('good.yaml', good);
writeFileSync(
  'unused.yaml',
  `${good.replace('pools: {', 'pools: { old: { backends: ["127.0.0.1:9001"] },')}driver: portable\n`,
);
writeFileSync('wrong.yaml', `${good}workers: many\nnonsense: 1\nshutdown: { grace: 30 }\n`);

afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

let stdout = '';
let stderr = '';

beforeEach(() => {
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function ran(line: string): Promise<number> {
  return program(['node', 'sluice', ...line.split(' ').filter((word) => word !== '')]);
}

describe('sluice', () => {
  it.each(['-v', '-V', '--version', 'version'])('%s prints the version', async (line) => {
    expect([await ran(line), stdout, stderr]).toEqual([0, `${version}\n`, '']);
  });

  it.each(['check good.yaml', 'check -c good.yaml', '-t good.yaml', '-t -c good.yaml'])(
    '%s checks that file',
    async (line) => {
      expect([await ran(line), stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^listener +web on 127\.0\.0\.1:8080/m);
    },
  );

  it.each([
    [
      'check',
      `Expected a configuration, found none in ${folder}: tried sluice.yaml, then config/sluice.yaml. Name one with -c FILE; "sluice demo" and "sluice forward" need none`,
    ],
    [
      'run',
      `Expected a configuration, found none in ${folder}: tried sluice.yaml, then config/sluice.yaml. Name one with -c FILE; "sluice demo" and "sluice forward" need none`,
    ],
    [
      'check good.yaml -c wrong.yaml',
      'Expected one configuration, found two: good.yaml, and wrong.yaml behind -c',
    ],
    ['-c', 'Expected a command before the configuration, as in "sluice run -c FILE"'],
    ['-c good.yaml', 'Expected a command before the configuration, as in "sluice run good.yaml"'],
    ['-c good.yaml -t', 'Expected a command before the configuration, as in "sluice check good.yaml"'],
    ['-c -f good.yaml', 'Expected a command before the configuration, as in "sluice check good.yaml"'],
    ['good.yaml', 'Expected a command before the configuration, as in "sluice run good.yaml"'],
    ['start', '"sluice run" runs the proxy, in the foreground'],
    ['configtest', '"sluice check" checks a configuration'],
    ['stop', 'The signal SIGTERM stops a running sluice gracefully, and a second one at once'],
    ['rnu', "unknown command 'rnu'\n(Did you mean run?)\n(add --help for what can be given)"],
    ['status --token=geheim', "unknown option '--token'\n(add --help for what can be given)"],
    [
      'status --admin http://me:geheim@127.0.0.1/?token=geheim',
      '--admin: Expected an address such as "127.0.0.1:8080", ":8080" (every interface) or "unix:/run/web.sock", found "http://…@127.0.0.1/?…"',
    ],
    ['run --wach', "unknown option '--wach'\n(Did you mean --watch?)\n(add --help for what can be given)"],

    [
      'forward',
      'Expected where to listen and where to forward to, as in "sluice forward 8080 10.0.0.5:80", found neither',
    ],
    [
      'forward 8080',
      'Expected where to listen and where to forward to, as in "sluice forward 8080 10.0.0.5:80", found "8080" alone',
    ],
    [
      'forward --admin 8080',
      'Expected where to listen and where to forward to, as in "sluice forward 8080 10.0.0.5:80", found "8080" alone',
    ],
    ['forward 99999 80', '<listen>: Expected a port from 0 to 65535, found "99999"'],
    ['forward :99999 80', '<listen>: Expected a port from 0 to 65535, found ":99999"'],
    ['forward 8080 99999', '<target>: Expected a port from 1 to 65535, found "99999"'],
    [
      'forward 8080 db.internal',
      '<target>: Expected a port behind the address, as in "db.internal:9000", found "db.internal"',
    ],
    [
      'forward 8080 http://a.b/c',
      '<target>: Expected a port, or an address such as "10.0.0.1:9000", "db.internal:5432", "srv:_pg._tcp.db.internal" or "unix:/run/app.sock", found "http://a.b/c"; did you mean a.b:80?',
    ],
    [
      'forward 8080 10.0.0.1:80,10.0.0.2:80',
      '<target>: Expected a port, or an address such as "10.0.0.1:9000", "db.internal:5432", "srv:_pg._tcp.db.internal" or "unix:/run/app.sock", found "10.0.0.1:80,10.0.0.2:80"; did you mean 10.0.0.1:80 10.0.0.2:80?',
    ],
    [
      'forward 8080 8080',
      '<target>: Expected a server behind listener "forward", found the listener itself, on 127.0.0.1:8080',
    ],
    [
      'forward :8080 localhost:8080',
      '<target>: Expected a server behind listener "forward", found the listener itself, on [::]:8080',
    ],
    [
      'forward 8080 9000 --balance leastconn',
      `--balance: Expected ${orList(balances.map(quoted))}, found "leastconn"; did you mean "least-connections"?`,
    ],
    [
      'forward 8080 9000 --idle-timeout 30',
      '--idle-timeout: Expected a duration such as "30s" or "unlimited", found "30"; did you mean "30s"?',
    ],
    ['forward 8080 9000 --admin 99999', '--admin: Expected a port from 0 to 65535, found "127.0.0.1:99999"'],
    [
      'forward --admin 9900 8080 9000',
      '--admin: Expected its address behind "=", or --admin at the end, found 9900, which may also be where to listen',
    ],
    ['demo --port 99999', '--port: Expected a port from 1 to 65535, found "99999"'],
    ['healthcheck --admin 99999', '--admin: Expected a port from 0 to 65535, found "99999"'],
    [
      'healthcheck good.yaml',
      'Expected an admin section in good.yaml, found none; add "admin: {}", or name --admin',
    ],
  ])('%s is misused', async (line, message) => {
    expect([await ran(line), stdout]).toEqual([2, '']);
    expect(stderr).toBe(`sluice: ${message}\n`);
  });

  it.each([
    ['run --nonsense', "unknown option '--nonsense'"],
    ['forward nowhere 9000', '<listen>: Expected a port, or an address such as "127.0.0.1:8080"'],
    ['forward 8080 9000 --balance fair', '--balance: Expected "round-robin", '],
    [
      'forward 8080 9000 --connect-timeout 2',
      '--connect-timeout: Expected a duration such as "30s", found "2"',
    ],
    ['demo --port eighty', '--port: Expected a port from 1 to 65535, found "eighty"'],
    ['demo --for ever', '--for: Expected a duration such as "30s", found "ever"'],
    ['healthcheck --admin nowhere', '--admin: Expected an address such as "127.0.0.1:8080"'],
    ['explain -c good.yaml', "required option '--listener <name>' not specified"],
    [
      'explain -c good.yaml --listener web --client me',
      '--client: Expected an IP address such as "10.1.2.3"',
    ],
    [
      'explain -c good.yaml --listener web --client ::1 --bytes-file no',
      '--bytes-file: Expected a file that can be read: ',
    ],
    [
      'completion tcsh',
      "command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish",
    ],
    ['drain', "missing required argument 'pool'"],
    ['drain app', "missing required argument 'backend'"],
    ['drain app b --for 30', '--for: Expected a duration such as "30s", found "30"; did you mean "30s"?'],
    ['drain app b --timeout 5s', '--timeout: Expected --wait beside it, found none'],
    ['maint app b --close-over x', '--close-over: Expected a duration such as "30s", found "x"'],
    ['ready app b --close-over 5s', "unknown option '--close-over'"],
    ['weight app b', "missing required argument 'weight'"],
    ['weight app b half', '<weight>: Expected a number from 0 to 1000000, a share such as "50%"'],
    ['status --admin nowhere', '--admin: Expected an address such as "127.0.0.1:8080"'],
    ['status --token-file missing', '--token-file: Expected a file that can be read: '],
    ['status app more', "too many arguments for 'status'"],
    ['sessions --close', '--close: Expected which sessions to end: ids, a filter such as --pool, or --all'],
    [
      'sessions --close --all --pool app',
      '--close: Expected ids, a filter or --all, found more than one of them',
    ],
    ['sessions w0.1.1', 'Expected --close beside the id of a session, found w0.1.1 alone'],
    ['sessions --all', '--all: Expected --close beside it, found none'],
    ['sessions --client me', '--client: Expected '],
    ['sessions --min-bytes 1kb', '--min-bytes: Expected a size such as '],
    ['sessions --older-than 5', '--older-than: Expected a duration such as '],
    ['sessions --limit 0', '--limit: Expected an integer from 1 on, found "0"'],
    ['sessions --state open', "option '--state <state>' argument 'open' is invalid"],
    ['hold app', "required option '--for <duration>' not specified"],
    ['hold app --for 1', '--for: Expected a duration such as "30s", found "1"'],
    ['hold app --for 1m --then stop', "option '--then <what>' argument 'stop' is invalid"],
    ['hold app --for 1m --sessions keep --close-over 1s', '--close-over: Expected no --sessions'],
    ['release app --rate 0', '--rate: Expected a number above 0, found "0"'],
    ['release', "missing required argument 'pool'"],
  ])('%s is misused, and the first line says how', async (line, message) => {
    expect([await ran(line), stdout]).toEqual([2, '']);
    expect(stderr.split('\n')[0]).toContain(`sluice: ${message}`);
  });

  it('is misused without a command: it shows its help on stderr', async () => {
    expect([await ran(''), stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: sluice [options] [command]');
  });

  it('is misused with a file that is missing', async () => {
    expect([await ran('check -c missing.yaml'), stdout]).toEqual([2, '']);
    expect(stderr).toContain('missing.yaml: Cannot read the file: no such file or directory');
  });

  it('says which variable has an address that is none', async () => {
    vi.stubEnv('SLUICE_ADMIN', 'nowhere');
    expect([await ran('status'), stdout]).toEqual([2, '']);
    expect(stderr).toContain('sluice: SLUICE_ADMIN: Expected an address such as ');
  });

  it('explains itself and each of its commands with -h, wrapped at words, at 80 columns where nobody says otherwise', async () => {
    expect(await ran('-h')).toBe(0);
    const all = stdout;
    for (const command of [
      ...['run', 'check', 'explain', 'forward', 'demo', 'schema', 'completion', 'status', 'hold', 'release'],
      ...['top', 'drain', 'ready', 'maint', 'weight', 'sessions', 'events', 'reload', 'healthcheck'],
    ]) {
      expect(all).toContain(`  ${command} `);
      stdout = '';
      expect(await ran(`${command} -h`)).toBe(0);
      expect(stdout).toContain(`Usage: sluice ${command}`);
      expect(`${all}${stdout}`.split('\n').filter((one) => one.length > 80)).toEqual([]);
    }
    expect(stdout).toContain('exit code 0 if so,\nelse 1');
  });
});

describe('sluice check', () => {
  it('ends with its verdict', async () => {
    expect(await ran('check good.yaml')).toBe(0);
    expect(stdout).toMatch(/\nvalid\n$/);
    expect(stderr).toBe('');
  });

  it('counts warnings, and says that they are', async () => {
    expect(await ran('check unused.yaml')).toBe(0);
    expect(stdout).toMatch(/\nvalid, 1 warning\n$/);
    expect(stderr).toMatch(/^unused\.yaml:3:10 pools\.old: warning: No listener uses this pool\n/);
  });

  it('says its verdict beside its JSON', async () => {
    expect(await ran('check --json unused.yaml')).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ driver: 'portable' });
    expect(stderr).toMatch(/\nvalid, 1 warning\n$/);
  });
});

describe('A command that reads a configuration', () => {
  it.each(['check', 'run', 'explain --listener web --client ::1'])(
    '%s says how many mistakes there are',
    async (command) => {
      expect(await ran(`${command} wrong.yaml`)).toBe(2);
      expect(stderr).toMatch(/\n3 mistakes\n$/);
    },
  );
});
