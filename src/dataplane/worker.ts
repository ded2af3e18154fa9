/** The entry of a worker thread: a data plane that listens to the control plane. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Address } from '../core/contract.ts';
import { Ledger } from '../core/ledger/ledger.ts';
import { driverModules } from '../drivers/drivers.ts';
import { TicketKeys } from '../drivers/ticket-keys.ts';
import { SessionLog } from '../telemetry/session-log.ts';
import { monotonicMs } from './clock.ts';
import { DataPlane } from './data-plane.ts';
import { KeptSettings } from './kept-settings.ts';
import type { FromWorker, ToWorker, WorkerInit } from './messages.ts';
import { ToldDials } from './told-dials.ts';
import { WorkerWakes } from './wakes.ts';

// Only the supervisor starts this file, and it passes a WorkerInit.
if (parentPort !== null) await run(parentPort, workerData as WorkerInit);

async function run(
  control: MessagePort,
  { worker, driver, ledger: ledgerBuffer, resources, capacity, log, bufferBytes, ticketKeys }: WorkerInit,
): Promise<void> {
  const post = (message: FromWorker): void => control.postMessage(message);

  const makeDriver = await driverModules[driver].load();
  const ledger = new Ledger(ledgerBuffer, capacity, worker);
  const sessionLog = new SessionLog(log, {
    send: (lines) => post({ kind: 'log-lines', lines }),
    unsentSince: (ms) => {
      ledger.unsentLinesMs[worker] = ms;
    },
    leftOut: (lines) => ledger.linesLeftOut.add(0, 0, lines),
  });
  const toldDials = new ToldDials();
  const wakes = new WorkerWakes(worker, ledger, () => plane.handle({ kind: 'woken' }));
  const plane = new DataPlane({
    worker,
    ledger,
    makeDriver,
    resources,
    sessionLog,
    bufferBytes,
    ticketKeys: new TicketKeys(ticketKeys),
    now: monotonicMs,
    outOfDescriptors: () => post({ kind: 'out-of-descriptors' }),
    listenerFull: (listener) => post({ kind: 'listener-full', listener }),
    told: (incident) => {
      if (incident.kind === 'circuit') return post(incident);
      const { kind, pool, backend, error } = incident;
      if (toldDials.isDue(incident, monotonicMs())) post({ kind, pool, backend, error });
    },
    wake: (other) => wakes.wake(other),
    receive: () => {
      wakes.receive();
      for (;;) {
        const received: { readonly message: ToWorker } | undefined = receiveMessageOnPort(control);
        if (received === undefined) return;
        onMessage(received.message);
      }
    },
    onDrained: () => (stopping ? end() : post({ kind: 'drained' })),
  });

  const settings = new KeptSettings();
  const onMessage = (message: ToWorker): void => {
    switch (message.kind) {
      case 'plan':
        return plane.handle({ kind: 'plan', plan: settings.adopt(message.plan) });
      case 'health-changed':
      case 'woken':
      case 'end-sessions':
      case 'refuse-waiting':
      case 'drain':
        return plane.handle(message);
      case 'list-sessions': {
        const { request, filter, from, most } = message;
        return post({ kind: 'sessions', request, page: plane.list(filter, from, most) });
      }
      case 'listen':
        return answer(
          message.request,
          plane.driver.listen(message.listener, message.address, message.options),
        );
      case 'unlisten':
        return answer(
          message.request,
          plane.driver.unlisten(message.address, message.options).then(() => message.address),
        );
      case 'sign-of-life':
        ledger.lag.tookMs[worker] = monotonicMs() - message.askedMs;
        ledger.lag.askedMs[worker] = message.askedMs;
        return;
      case 'log':
        return sessionLog.configure(message.log);
      case 'stop':
        stopping = true;
        plane.handle({ kind: 'stop' });
    }
  };

  let stopping = false;
  const end = (): void => {
    ledger.wakeFds.set(worker, undefined);
    // Closing may take longer than it is waited for.
    sessionLog.flush(Number.POSITIVE_INFINITY);
    void plane.driver.close().then(() => {
      sessionLog.flush(Number.POSITIVE_INFINITY);
      wakes.close();
      control.close();
    });
  };

  const answer = (request: number, outcome: Promise<Address>): void => {
    outcome.then(
      (address) => post({ kind: 'done', request, address }),
      (error: NodeJS.ErrnoException) =>
        post({ kind: 'failed', request, code: error.code ?? 'EUNKNOWN', message: error.message }),
    );
  };

  control.on('message', onMessage);
  ledger.wakeFds.set(worker, plane.driver.wakeFd);
  post({ kind: 'ready', wakeFd: plane.driver.wakeFd });
}
