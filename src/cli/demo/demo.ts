import { Command } from 'commander';
import { formatAddress } from '../../config/addresses.ts';
import { parseConfig } from '../../config/load.ts';
import { refuseTakenPort } from '../../control/bind-error.ts';
import { StartError } from '../../service.ts';
import { createLog } from '../../telemetry/log.ts';
import { type ExitCode, UsageError } from '../command.ts';
import { AdminClient } from '../operate/admin-client.ts';
import { durationOf } from '../operate/proxy-options.ts';
import { serve } from '../serve.ts';
import { startTop } from '../top/live.ts';
import { startBackends, startVisitors } from './peers.ts';

interface DemoArguments {
  readonly port: string;
  readonly adminPort: string;
  readonly for?: string;
  readonly visitors: boolean;
}

export function demoCommand(ends: (code: ExitCode) => void): Command {
  return new Command('demo')
    .description(
      'Run three small HTTP backends, one of which fails now and then, and a proxy in front of them',
    )
    .option('--port <port>', 'of the proxy', '8080')
    .option('--admin-port <port>', 'of the admin API', '9900')
    .option('--for <duration>', 'end by itself, as in 20s')
    .option('--no-visitors', 'wait for your own clients instead of sending some')
    .action(async (given: DemoArguments) => ends(await demo(given)));
}

async function demo(given: DemoArguments): Promise<ExitCode> {
  const forMs = given.for === undefined ? undefined : durationOf('--for', given.for);
  const [port, adminPort] = [portOf('--port', given.port), portOf('--admin-port', given.adminPort)];
  if (port === adminPort)
    throw new UsageError(`Expected two ports, found ${port} for --port and --admin-port`);
  await refuseTaken('--port', port);
  await refuseTaken('--admin-port', adminPort);
  const backends = await startBackends();
  try {
    const loaded = parseConfig(configText(port, adminPort, backends.addresses), { file: 'demo', env: {} });
    if (!loaded.ok) throw new UsageError(loaded.issues.map(({ message }) => message).join('\n'));
    const { config } = loaded;
    const { stop, ended } = await serve({
      config,
      log: createLog({ level: config.log.level, fd: 2 }),
    });
    const visitors = given.visitors ? startVisitors(port) : undefined;
    const { stdin: input, stdout: out } = process;
    const client = new AdminClient({ address: { host: '127.0.0.1', port: adminPort } });
    const top = startTop(client, { input, out, head: introduction(port, adminPort) });
    // Those who stay would hold up the end, and what the screen shows of it is no news.
    let isLeaving = false;
    const leave = (): void => {
      isLeaving = true;
      visitors?.close();
      top.close();
    };
    process.once('SIGINT', leave).once('SIGTERM', leave);
    const end = (): void => {
      if (isLeaving) return;
      leave();
      stop();
    };
    top.ended.then(end, end);
    await top.begun;
    const timer = forMs === undefined ? undefined : setTimeout(end, forMs);
    const exitCode = await ended;
    clearTimeout(timer);
    leave();
    await top.ended.catch(() => {});
    return exitCode;
  } finally {
    backends.close();
  }
}

/** What the demo shows, and how to try it: at most 60 characters wide. */
function introduction(port: number, adminPort: number): readonly string[] {
  return [
    `sluice listens on 127.0.0.1:${port} and spreads connections`,
    'over three backends. The last one is away for 8 of every 20',
    'seconds: its breaker opens, its health goes down, and the',
    'others serve everybody.',
    '',
    `  curl 127.0.0.1:${port}                 a backend answers`,
    `  http://127.0.0.1:${adminPort}               the dashboard`,
    `  curl 127.0.0.1:${adminPort}/api/v1/status   the state as JSON`,
    `  curl 127.0.0.1:${adminPort}/metrics         for Prometheus`,
    '  Ctrl-C                              stops gracefully',
    '',
  ];
}

async function refuseTaken(option: string, port: number): Promise<void> {
  const address = { host: '127.0.0.1', port };
  await refuseTakenPort(address).catch((cause: unknown) => {
    const what = `${formatAddress(address)} is in use`;
    throw new StartError(`${what}: stop what listens there, or choose another port with ${option}`, {
      cause,
    });
  });
}

function configText(port: number, adminPort: number, addresses: readonly string[]): string {
  return `
version: 1
listeners:
  demo: { bind: "127.0.0.1:${port}", pool: demo }
pools:
  demo:
    backends: [ ${addresses.map((address) => `"${address}"`).join(', ')} ]
    healthCheck: { type: http, path: /healthz, interval: 2s, timeout: 1s, rise: 2, fall: 3 }
    circuitBreaker: { consecutiveFailures: 3, openFor: 2s, maxOpenFor: 10s }
admin: { bind: "127.0.0.1:${adminPort}" }
log: { level: error }
shutdown: { grace: 2s }
`;
}

function portOf(option: string, text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new UsageError(`${option}: Expected a port from 1 to 65535, found "${text}"`);
  return port;
}
