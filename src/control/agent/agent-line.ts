/**
 * What an agent says of its backend, in one line: HAProxy's agent protocol (configuration.txt, `agent-check`). Words
 * are parted by spaces, tabs or commas, in any order and case; of several of one kind the last counts. What is not said
 * does not change.
 */
import { type AdminState, adminStates } from '../../core/admin-state.ts';

export interface AgentWords {
  readonly state?: AdminState;
  /** `stopped` and `fail` mean `down`. */
  readonly health?: 'up' | 'down' | 'stopped' | 'fail';
  /** From 0 to 256, or a share of the configured weight. */
  readonly weight?: number | `${number}%`;
  readonly maxConnections?: number | 'unlimited';
  /** What stands behind `#`: why it goes down, for people. */
  readonly description?: string;
  /** The first word that means nothing. It does not spoil the others. */
  readonly unknown?: string;
}

export function parseAgentLine(line: string): AgentWords {
  const [said = '', ...description] = line.split('#');
  const words = said.split(/[\s,]+/).filter((word) => word !== '');
  const read = words.map((word) => ({ word, ...meaningOf(word.toLowerCase()) }));
  const unknown = read.find(({ means }) => means === undefined)?.word;
  return {
    ...Object.assign({}, ...read.map(({ means }) => means ?? {})),
    ...(description.length > 0 && { description: description.join('#').trim() }),
    ...(unknown !== undefined && { unknown }),
  };
}

function meaningOf(word: string): { readonly means: AgentWords | undefined } {
  const state = adminStates.find((one) => one === word);
  if (state !== undefined) return { means: { state } };
  const health = healths.find((one) => one === word);
  if (health !== undefined) return { means: { health } };
  // A plain number is no weight: only a share may stand without "weight:".
  const [, share] = /^(?:weight:)?(\d{1,4})%$/.exec(word) ?? [];
  if (share !== undefined) return { means: { weight: `${Number(share)}%` } };
  const [, weight] = /^weight:(\d{1,3})$/.exec(word) ?? [];
  if (weight !== undefined && Number(weight) <= largestWeight) return { means: { weight: Number(weight) } };
  const [, most] = /^maxconn:(\d{1,9})$/.exec(word) ?? [];
  // In HAProxy's words, 0 is no limit.
  if (most !== undefined) return { means: { maxConnections: Number(most) || 'unlimited' } };
  return { means: undefined };
}

const healths = ['up', 'down', 'stopped', 'fail'] as const;
const largestWeight = 256;
