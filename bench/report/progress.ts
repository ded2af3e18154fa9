import type { Progress } from '../suite.ts';

/** Says how far the run is: on one line that changes on a terminal, a line for each step elsewhere. */
export function showProgress(say: (text: string) => void, terminal: boolean): Progress {
  const startMs = performance.now();
  return (done, steps, next) => {
    const spentS = (performance.now() - startMs) / 1000;
    // Steps take about the same time, near enough for somebody who wonders whether to get a coffee.
    const left = done < 3 ? '' : `, about ${duration((spentS / done) * (steps - done))} left`;
    const line = `[${done + 1}/${steps}${left}] ${next}`;
    say(terminal ? `\r\x1b[K${line}${done + 1 === steps ? '\n' : ''}` : `${line}\n`);
  };
}

function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
