/**
 * Requests as fast as they are answered, from wrk(1): it takes less of a core than a load on Node does, so that more of
 * it comes to the subject. It says nothing of its beginning, so that runs of their own warm up.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type LoadResult, program } from './program.ts';
import { readWrk } from './wrk-output.ts';

export interface WrkJob {
  readonly port: number;
  readonly tls: boolean;
  readonly connections: number;
  /** A connection for each request, which the backend ends. */
  readonly closes: boolean;
  readonly warmSeconds: number;
  readonly warmUnits: number;
  readonly seconds: number;
}

program<WrkJob, LoadResult>(async (job, measured) => {
  let done = 0;
  const run = async () => {
    done += readWrk(await wrk(job, job.warmSeconds)).units;
  };
  for (let runs = 0; runs === 0 || (done < job.warmUnits && runs < warmRunsMax); runs++) await run();
  await measured();
  return readWrk(await wrk(job, job.seconds));
});

/** Where it is slow: of three seconds each, as a rule. */
const warmRunsMax = 10;

async function wrk({ port, tls, connections, closes }: WrkJob, seconds: number): Promise<string> {
  const args = ['--threads', '1', '--connections', `${connections}`, '--duration', `${Math.ceil(seconds)}s`];
  if (closes) args.push('--header', 'Connection: close');
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}/`;
  return (await promisify(execFile)('wrk', [...args, '--latency', url])).stdout;
}
