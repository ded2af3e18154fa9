/** Runs a service until a signal ends it. */
import { Service, type ServiceOptions } from '../service.ts';
import { type ExitCode, exitCodes } from './command.ts';
import { logNode, logStartError } from './failures.ts';
import { ReloadRequests } from './reload-requests.ts';

export interface Serving {
  readonly service: Service;
  /** Does what SIGTERM does: stops gracefully; called again, at once. */
  stop(trigger?: string): void;
  /** Fulfils once everything has ended and the log is written. */
  readonly ended: Promise<ExitCode>;
}

/**
 * SIGTERM and SIGINT stop it, also while it starts; SIGHUP reloads it, once it has started; SIGUSR1 opens the log's
 * file again; SIGUSR2 does nothing. Rejects with a StartError.
 */
export async function serve(options: ServiceOptions, reloads = new ReloadRequests()): Promise<Serving> {
  const { log } = options;
  const { logger } = log;
  const stopLoggingNode = logNode(log);
  const fail = async (error: unknown): Promise<never> => {
    logStartError(log, error);
    stopLoggingNode();
    await log.flush();
    throw error;
  };
  await closeDebugger();
  let service: Service;
  try {
    service = Service.create(options);
  } catch (error) {
    return fail(error);
  }
  let stops = 0;
  let resolve = (_: ExitCode): void => {};
  let reject = (_: unknown): void => {};
  const ended = new Promise<ExitCode>((...ends) => {
    [resolve, reject] = ends;
  });
  const stop = (trigger?: string): void => {
    stops++;
    if (stops > 2) return;
    const ending = stops === 1 ? service.drain(trigger) : service.stop(trigger);
    ending
      .then(() => log.flush())
      .then(() => {
        removeHandlers();
        stopLoggingNode();
        resolve(exitCodes.done);
      }, reject);
  };
  const onReopen = (signal: NodeJS.Signals): void => {
    if (!log.reopen()) onUnused(signal);
  };
  const onUnused = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, 'signal without a meaning');
  };
  const removeHandlers = (): void => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reloads.request);
    process.off('SIGUSR1', onReopen).off('SIGUSR2', onUnused);
  };

  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reloads.request);
  process.on('SIGUSR1', onReopen).on('SIGUSR2', onUnused);
  try {
    const begun = service.begin();
    reloads.servedBy((trigger) => void service.reload(trigger));
    await begun;
    // A signal that came just before the listener may have been acted upon only now.
    await closeDebugger();
  } catch (error) {
    // Where it was stopped meanwhile, that has kept it from starting.
    if (stops === 0) {
      removeHandlers();
      return fail(error);
    }
  }
  return { service, stop, ended };
}

/**
 * Node opens its debugger at SIGUSR1, until a listener of ours takes that signal: closes one that a signal has opened
 * before; one that was asked for by an option stays.
 */
async function closeDebugger(): Promise<void> {
  const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
  if (options.some((option) => /^--inspect(-brk|-wait)?(=|$)/.test(option))) return;
  // A Node may have been built without it.
  const inspector = await import('node:inspector').catch(() => undefined);
  if (inspector?.url() !== undefined) inspector.close();
}
