/** The built executable as a command that ends by itself: what it has said, and with what it has ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { executable, nodeBinary } from './sluice.ts';

export interface Outcome {
  readonly exit: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** `env` stands beside that of this process, without which no proxy is asked that the test does not name. */
export async function ran(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const { SLUICE_ADMIN: _, SLUICE_ADMIN_TOKEN: __, ...others } = process.env;
  const child = spawn(nodeBinary, [executable, ...args], {
    env: { ...others, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  const [code, signal]: unknown[] = await once(child, 'close');
  return { exit: typeof code === 'number' ? code : String(signal), ...said };
}
