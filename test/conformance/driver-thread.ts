/** The thread in which a driver under test lives, as those of the product do: one driver after the other. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Driver, DriverHost } from '../../src/drivers/driver.ts';
import { createPortableDriver } from '../../src/drivers/portable/driver.ts';
import { createUringDriver } from '../../src/drivers/uring/driver.ts';
import { Brain } from './brain.ts';
import { type DriverName, type FromThread, type Question, shared, type ToThread } from './messages.ts';

const makers: Readonly<Record<DriverName, (host: DriverHost) => Driver>> = {
  uring: (host) => createUringDriver(host),
  portable: (host) => createPortableDriver(host),
  'portable by documented means': (host) => createPortableDriver(host, 'documented'),
};

// Only the rig starts this file, with memory of this form.
const words = new Int32Array(workerData as SharedArrayBuffer);
let brain: Brain | undefined;

function say(message: FromThread): void {
  parentPort?.postMessage(message);
}

function handle(message: ToThread): void {
  switch (message.kind) {
    case 'ask':
      return answer(message.request, message.question);
    case 'execute':
      for (const command of message.commands) {
        if (command.kind === 'join') brain?.join(command.client);
        else brain?.execute(command);
      }
      return;
    case 'dial':
      return brain?.dial(message.link, message.address, message.options);
    case 'close':
      return brain?.close(message.link, message.how);
    case 'reset-backend':
      return brain?.resetBackend(message.link);
    case 'rules':
      if (brain !== undefined) brain.rules = message.rules;
      return;
    case 'wake-at':
      for (const deadlineMs of message.deadlinesMs) brain?.driver?.wakeAt(deadlineMs);
      return;
    case 'stall':
      if (Atomics.compareExchange(words, shared.isStalled, 1, 2) !== 1) return;
      while (Atomics.load(words, shared.isStalled) === 2) Atomics.wait(words, shared.isStalled, 2, 10_000);
  }
}

function answer(request: number, question: Question): void {
  Promise.resolve()
    .then(() => find(question))
    .then(
      (value) => say({ kind: 'answer', request, value, wakeFd: brain?.driver?.wakeFd }),
      (error: NodeJS.ErrnoException) =>
        say({ kind: 'failed', request, code: error.code ?? 'EUNKNOWN', message: error.message }),
    );
}

function find(question: Question): unknown {
  if (question.what === 'create') return create(question);
  if (question.what === 'arrayBuffers') return process.memoryUsage().arrayBuffers;
  const driver = brain?.driver;
  if (driver === undefined) throw new Error('Expected a driver');
  switch (question.what) {
    case 'listen':
      return driver.listen(question.listener, question.address, question);
    case 'unlisten':
      return driver.unlisten(question.address, question);
    case 'lastByteMs':
    case 'sentBytes':
    case 'waitingBytes':
      return driver[question.what](question.link);
    case 'localEndpoint': {
      const { address, port } = driver.localEndpoint(question.link);
      return { address, port };
    }
    case 'held':
      return 'held' in driver ? driver.held : undefined;
    case 'dispose':
      return driver.close().then(() => {
        const violations = brain?.violations;
        brain = undefined;
        return violations;
      });
  }
}

function create({ driver, options }: Extract<Question, { readonly what: 'create' }>): void {
  const made = new Brain(options, words, (event) => say({ kind: 'event', event }), {
    deadline: (atMs) => say({ kind: 'deadline', atMs }),
    receive: () => {
      for (;;) {
        const received = parentPort && receiveMessageOnPort(parentPort);
        if (!received) return;
        handle(received.message as ToThread);
      }
    },
  });
  made.driver = makers[driver](made);
  brain = made;
}

parentPort?.on('message', handle);
say({ kind: 'ready' });
