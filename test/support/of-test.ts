/** What ends with the test that has started it, the last first. */
import { onTestFinished } from 'vitest';
import { echo, startBackend, type TestBackend } from './backends.ts';
import { Sluice } from './sluice.ts';

export async function backendOfTest(serve = echo): Promise<TestBackend> {
  const backend = await startBackend(serve);
  onTestFinished(() => backend.close());
  return backend;
}

/** A sluice that runs. */
export async function sluiceOfTest(...given: Parameters<typeof Sluice.run>): Promise<Sluice> {
  const sluice = await Sluice.run(...given);
  onTestFinished(() => sluice.stop());
  return sluice;
}
