/** What `top` prints where there is no screen. */
import type { TopView } from './top-view.ts';

/** All backends in one line, for people. */
export function lineOf({ pools }: TopView): string {
  return pools
    .flatMap(({ backends }) => backends)
    .map(({ address, state, health, circuit, active, total }) => {
      const wanted = state === 'ready' ? '' : `${state}, `;
      return `${address} ${wanted}${health}, breaker ${circuit}, ${active} active, ${total} served`;
    })
    .join(' | ');
}

/** For programs: what status says, and how fast it counts. */
export function objectOf({ status, rates, pools }: TopView): object {
  return {
    ...status,
    rates,
    pools: Object.fromEntries(
      pools.map(({ name, rates, backends }) => [name, { ...status.pools[name], rates, backends }]),
    ),
  };
}
