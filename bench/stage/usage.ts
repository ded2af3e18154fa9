/**
 * What a process and its children have used, from Linux's /proc (proc(5)): undefined on other systems.
 *
 * The total is the scheduler's own count in nanoseconds, of every thread that is left; where threads have
 * ended, it is that of the whole process in clock ticks. The split is always counted in ticks, too coarse for
 * the total of a short window but good for a share of it. Children that have ended are in both, in ticks: a
 * load starts wrk anew for each of its windows. Work that the kernel does for a socket on the way of a send,
 * the receiver's part of loopback TCP too, is charged to the sender.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Usage {
  /** User and system together. */
  readonly cpuNs: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly residentBytes: number;
  /** The most that was resident since the start, or since `forgetPeak`. */
  readonly peakBytes: number;
}

export function usage(root: number): Usage | undefined {
  const parts = family(root).map(usageOfOne);
  const sum = (pick: (part: Usage) => number): number =>
    parts.reduce((total, part) => total + (part === undefined ? 0 : pick(part)), 0);
  if (parts[0] === undefined) return undefined;
  return {
    cpuNs: sum((part) => part.cpuNs),
    userTicks: sum((part) => part.userTicks),
    systemTicks: sum((part) => part.systemTicks),
    residentBytes: sum((part) => part.residentBytes),
    peakBytes: sum((part) => part.peakBytes),
  };
}

/** Starts the peak anew, where the kernel lets us (clear_refs, value 5). */
export function forgetPeak(root: number): void {
  for (const pid of family(root)) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // Then the peak is that of the process's whole life, which is still a bound.
    }
  }
}

/** A process and its descendants, itself first; itself alone where there is no /proc. */
export function family(pid: number): readonly number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(family)];
  } catch {
    return [pid];
  }
}

function usageOfOne(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold anything; the third follows the last ')'.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [userTicks = 0, systemTicks = 0, endedUserTicks = 0, endedSystemTicks = 0] = fields
      .slice(14 - 3, 18 - 3)
      .map(Number);
    const nsPerTick = 1e9 / ticksPerSecond();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return {
      // Ticks are rounded down: they are the greater only by what ended threads have used.
      cpuNs:
        Math.max(scheduledNs(pid), (userTicks + systemTicks) * nsPerTick) +
        (endedUserTicks + endedSystemTicks) * nsPerTick,
      userTicks: userTicks + endedUserTicks,
      systemTicks: systemTicks + endedSystemTicks,
      residentBytes: bytesOf(status, 'VmRSS'),
      peakBytes: bytesOf(status, 'VmHWM'),
    };
  } catch {
    return undefined;
  }
}

/** The time that the threads of a process were on a core; 0 where the kernel doesn't keep it. */
function scheduledNs(pid: number): number {
  try {
    let total = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return total;
  } catch {
    return 0;
  }
}

function bytesOf(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
}

let ticks: number | undefined;

function ticksPerSecond(): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticks;
}
