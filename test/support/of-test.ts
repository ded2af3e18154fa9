/** What ends with the test that has started it, the last first. */
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { connected, echo, startBackend, type TestBackend } from './backends.ts';
import { Sluice } from './sluice.ts';

export async function backendOfTest(serve = echo): Promise<TestBackend> {
  const backend = await startBackend(serve);
  onTestFinished(() => backend.close());
  return backend;
}

/** A sluice that runs. */
export async function sluiceOfTest(...given: Parameters<typeof Sluice.run>): Promise<Sluice> {
  return endsWithTest(await Sluice.run(...given));
}

/** One that runs in this folder, as another did before it. */
export async function sluiceOfTestIn(...given: Parameters<typeof Sluice.runIn>): Promise<Sluice> {
  return endsWithTest(await Sluice.runIn(...given));
}

/** A client that is connected. */
export async function clientOfTest(port: number): Promise<Socket> {
  const client = await connected(port);
  onTestFinished(() => void client.destroy());
  return client;
}

function endsWithTest(sluice: Sluice): Sluice {
  onTestFinished(() => sluice.stop());
  return sluice;
}
