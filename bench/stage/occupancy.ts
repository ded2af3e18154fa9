import { readFileSync } from 'node:fs';

/** How long each core was busy and how long it was there, by its number, in ticks since the boot. */
export type CoreTicks = ReadonlyMap<number, { readonly busy: number; readonly all: number }>;

/** Read from Linux's /proc/stat (proc_stat(5)); undefined on other systems. */
export function coreTicks(): CoreTicks | undefined {
  try {
    return parseCoreTicks(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return undefined;
  }
}

export function parseCoreTicks(stat: string): CoreTicks {
  const cores = new Map<number, { busy: number; all: number }>();
  for (const [, core, line = ''] of stat.matchAll(/^cpu(\d+) (.*)$/gm)) {
    // The guest's time, from the ninth on, is contained in the first two.
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, ...interrupts] = line.split(' ').map(Number);
    const busy = user + nice + system + interrupts.slice(0, 3).reduce((sum, ticks) => sum + ticks, 0);
    cores.set(Number(core), { busy, all: busy + idle + iowait });
  }
  return cores;
}

/** What share of their time these cores (or all, where none are named) were busy with anything. */
export function occupied(
  before: CoreTicks,
  after: CoreTicks,
  cores: readonly number[] = [...after.keys()],
): number {
  let [busy, all] = [0, 0];
  for (const core of cores) {
    busy += (after.get(core)?.busy ?? 0) - (before.get(core)?.busy ?? 0);
    all += (after.get(core)?.all ?? 0) - (before.get(core)?.all ?? 0);
  }
  return all === 0 ? 0 : busy / all;
}
