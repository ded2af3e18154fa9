/** A pool: the table of its options. */
import { type Balance, balancers, balances } from '../../core/balancers/table.ts';
import type { PoolPolicy } from '../../core/plan.ts';
import { parseTarget } from '../addresses.ts';
import type { PoolConfig } from '../config.ts';
import { quoted, textOf } from '../guesses.ts';
import { agentCheck } from './agent-check.ts';
import { backends, type LocatedBackend } from './backends.ts';
import { circuitBreaker } from './circuit-breaker.ts';
import { connect } from './connect.ts';
import { healthCheck, withConnection } from './health-check.ts';
import { poolLimits } from './limits.ts';
import { type Defaults, defaultsOf, mapping } from './option.ts';
import { duration, oneOf, percent } from './terms.ts';

const options = {
  balance: oneOf(
    balances,
    {
      description:
        'How a session gets its backend: in turn (round-robin), the one with the fewest connections, at random, the better of two at random (power-of-two), always the same for a client address (source-hash), or the first with room.',
      default: 'round-robin',
    },
    otherBalances(),
  ),
  backends,
  connect,
  healthCheck,
  agentCheck,
  circuitBreaker,
  limits: poolLimits,
  slowStart: duration('off', {
    description: 'How long a recovered backend takes from a tenth of its weight to all of it.',
    default: 0,
  }),
  whenBackendDown: oneOf(['keep', 'close'], {
    description: 'What happens to the open connections of a backend whose checks fail.',
    default: 'keep',
  }),
  panicThreshold: percent({
    description: 'Below this share of healthy backends, health is ignored.',
    default: 0,
  }),
};

function otherBalances(): Readonly<Record<string, Balance>> {
  return Object.fromEntries(
    balances.flatMap((balance) => balancers[balance].otherNames.map((name) => [name, balance])),
  );
}

export type PoolSection = Omit<PoolConfig, 'name' | 'backends'> & {
  readonly backends: readonly LocatedBackend[];
};

export const pool = mapping(
  'Backends that serve the same thing.',
  options,
  (values, location): PoolSection => {
    if (
      values.agentCheck !== undefined &&
      values.agentCheck.host === undefined &&
      values.backends.every(isUnix)
    )
      location.at('agentCheck').warn('Asks nobody without "host", as all backends are unix sockets');
    return {
      policy: policyOf(values),
      backends: values.backends,
      healthCheck: values.healthCheck && withConnection(values.healthCheck, values.connect),
      agentCheck: values.agentCheck,
    };
  },
  { example: '{ backends: ["10.0.0.1:9000"] }', guess: meantPool },
);

function isUnix({ backend: { target } }: LocatedBackend): boolean {
  return target.kind === 'address' && 'path' in target.address;
}

/** The backends alone, without their key. */
function meantPool(found: unknown): string | undefined {
  const list = Array.isArray(found) ? found.map(textOf) : [textOf(found)];
  return list.every((one) => parseTarget(one).ok)
    ? `{ backends: [${list.map(quoted).join(', ')}] }`
    : undefined;
}

function policyOf(values: Defaults<typeof options>): PoolPolicy {
  const { balance, connect, circuitBreaker, limits, slowStart, whenBackendDown, panicThreshold } = values;
  return {
    balance,
    connect,
    circuitBreaker,
    limits,
    slowStartMs: slowStart,
    whenBackendDown,
    panicThresholdPercent: panicThreshold,
  };
}

export const defaultPoolPolicy = policyOf(defaultsOf(options));
