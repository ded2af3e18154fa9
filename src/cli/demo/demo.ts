import { Command } from 'commander';
import { parseDuration } from '../../config/durations.ts';
import { parseConfig } from '../../config/load.ts';
import { createLog } from '../../telemetry/log.ts';
import { type ExitCode, UsageError } from '../command.ts';
import { serve } from '../serve.ts';
import { startLiveView } from './live-view.ts';
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
  const forMs = given.for === undefined ? undefined : durationOf(given.for);
  const [port, adminPort] = [portOf('--port', given.port), portOf('--admin-port', given.adminPort)];
  const backends = await startBackends();
  try {
    const text = configText(port, adminPort, [...backends.names.keys()]);
    const loaded = parseConfig(text, { file: 'demo', env: {} });
    if (!loaded.ok) throw new UsageError(loaded.issues.map(({ message }) => message).join('\n'));
    const { config } = loaded;
    const { service, stop, ended } = await serve({
      config,
      log: createLog({ level: config.log.level, fd: 2 }),
    });
    process.stdout.write(introduction(port, adminPort));
    const visitors = given.visitors ? startVisitors(port) : undefined;
    const view = startLiveView(() => service.controlPlane.snapshot(), backends.names, process.stdout);
    const timer = forMs === undefined ? undefined : setTimeout(stop, forMs);
    const exitCode = await ended;
    clearTimeout(timer);
    view.close();
    visitors?.close();
    return exitCode;
  } finally {
    backends.close();
  }
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

function introduction(port: number, adminPort: number): string {
  return `sluice listens on http://127.0.0.1:${port} and spreads connections over three backends.
The third goes away for 8 seconds every 20: watch its breaker open and its health fall, and the others go on.

  curl http://127.0.0.1:${port}/                          a backend answers; again: another one
  curl http://127.0.0.1:${adminPort}/api/v1/status             the same state as JSON
  curl http://127.0.0.1:${adminPort}/metrics                   for Prometheus
  Ctrl-C                                         stops gracefully

`;
}

function durationOf(text: string): number {
  const duration = parseDuration(text);
  if (!duration.ok) throw new UsageError(`--for: Expected ${duration.expected}, found "${text}"`);
  return duration.value;
}

function portOf(option: string, text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new UsageError(`${option}: Expected a port from 1 to 65535, found "${text}"`);
  return port;
}
