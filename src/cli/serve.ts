/** Runs a service until a signal ends it. */
import { Service, type ServiceOptions } from '../service.ts';
import { closeDebugger } from './debugger.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface Serving {
  readonly service: Service;
  /** Does what SIGTERM does: stops gracefully; called again, at once. */
  stop(): void;
  /** Fulfils once everything has ended and the log is written. */
  readonly ended: Promise<ExitCode>;
}

/** SIGTERM and SIGINT stop it, SIGHUP reloads it, SIGUSR1 and SIGUSR2 do nothing. Rejects with a StartError. */
export async function serve(options: ServiceOptions): Promise<Serving> {
  // A signal that comes while it starts is heard as soon as there is something to stop.
  let stop = (): void => {
    stopsBefore++;
  };
  let stopsBefore = 0;
  let reload = (): void => {};
  const onStop = (): void => stop();
  const onReload = (): void => reload();
  const onUnused = (signal: NodeJS.Signals): void => {
    options.log.logger.info({ signal }, 'signal without a meaning');
  };
  process.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onReload);
  process.on('SIGUSR1', onUnused).on('SIGUSR2', onUnused);
  const deafen = (): void => {
    process.off('SIGTERM', onStop).off('SIGINT', onStop).off('SIGHUP', onReload);
    process.off('SIGUSR1', onUnused).off('SIGUSR2', onUnused);
  };

  let service: Service;
  try {
    await closeDebugger();
    service = await Service.start(options);
    // A signal that came just before the listener may have been acted upon only now.
    await closeDebugger();
  } catch (error) {
    deafen();
    await options.log.flush();
    throw error;
  }
  const ended = new Promise<ExitCode>((resolve, reject) => {
    let stops = 0;
    stop = () => {
      stops++;
      if (stops > 2) return;
      const ending = stops === 1 ? service.drain() : service.stop();
      ending
        .then(() => options.log.flush())
        .then(() => {
          deafen();
          resolve(exitCodes.done);
        }, reject);
    };
    reload = () => void service.reload();
  });
  while (stopsBefore-- > 0) stop();
  return { service, stop: () => stop(), ended };
}
