/**
 * What the bench and the processes that make its load say to each other, over Node's IPC channel:
 *
 *     bench ── start(job) ──▶ program     connects, warms up
 *     bench ◀── warm ──────── program     the bench reads the subject's usage
 *     bench ── go ──────────▶ program     the measured window
 *     bench ◀── result ────── program     the bench reads the usage again and ends the program
 */

export type ToProgram = { readonly kind: 'start'; readonly job: unknown } | { readonly kind: 'go' };

export type FromProgram =
  | { readonly kind: 'warm' }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly message: string };

/** What a program that makes load answers. */
export interface LoadResult {
  /** Requests, connections or bytes of the measured window. */
  readonly units: number;
  readonly latencyUs?: LatencyUs;
  /** How long the units took, where that isn't the window. */
  readonly seconds?: number;
  /** Units that went wrong; the sample is worth nothing where there are any. */
  readonly errors: number;
  /** How many went wrong in which way, where that is known. */
  readonly errorKinds?: Readonly<Record<string, number>>;
  /** Figures that only one program has, by names that its scenario knows. */
  readonly own?: Readonly<Record<string, number>>;
}

export interface LatencyUs {
  readonly p50: number;
  readonly p99: number;
  /** Not of a load that does not tell it. */
  readonly p999?: number;
}

/**
 * Runs this process as a program of the bench. `run` calls `measured` once it has warmed up and gets on when
 * the measured window begins. Afterwards the process stays, with all that it holds open, until it is ended.
 */
export function program<Job, Result>(
  run: (job: Job, measured: () => Promise<void>) => Promise<Result>,
): void {
  const say = (message: FromProgram): void => void process.send?.(message);
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const measured = (): Promise<void> => {
    say({ kind: 'warm' });
    return gone;
  };
  // Both ends of the channel come from one build, and the bench names program and job together.
  process.on('message', (message: ToProgram) => {
    if (message.kind === 'go') return go();
    run(message.job as Job, measured).then(
      (result) => say({ kind: 'result', result }),
      (error: unknown) => say({ kind: 'failed', message: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}

/**
 * Waits until at least so many units are done and so many seconds over: what compiles itself while it runs is ready by
 * the number of its units, which take longer on a machine that others use too. Gives up half a minute later.
 */
export async function warmUp(least: number, units: number, done: () => number): Promise<void> {
  await seconds(least);
  for (let extra = 0; done() < units && extra < 30; extra += 0.1) await seconds(0.1);
}

export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
