/**
 * A provider of backends is one method: it begins to follow a target and gives what finds its addresses. That is called
 * at once, and again whenever its last answer has expired; one that learns of changes by itself answers when there is
 * one.
 */
import type { Target } from '../../config/config.ts';
import type { Address } from '../../core/contract.ts';
import type { Questions } from './dns/questions.ts';
import type { Answer } from './watch.ts';

export type Provider<Kind extends Target['kind']> = (
  target: Extract<Target, { readonly kind: Kind }>,
  deps: ProviderDeps,
) => Lookup;

/** Finds the addresses; `previous` are those found last. Rejects, in words for people, where none are to be had. */
export type Lookup = (
  previous: readonly TargetAddress[] | undefined,
) => Promise<Answer<readonly TargetAddress[]>>;

export interface ProviderDeps {
  /** The one resolver that all share. */
  readonly questions: Questions;
}

/** One of the addresses that a target stands for; what is absent is as the configuration says. */
export interface TargetAddress {
  readonly address: Address;
  /** What people call it, where that is not its address. */
  readonly writtenAs?: string;
  readonly weight?: number;
  /** 0 serves first; each other rank only while none of those before can. */
  readonly rank?: number;
  /** What the address was resolved from. */
  readonly hostName?: string;
}
