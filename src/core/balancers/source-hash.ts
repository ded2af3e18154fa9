import { type BalancerKind, certainPick } from './balancer.ts';

/**
 * Sends a client to the same backend as long as that is admitted, by weighted rendezvous hashing: for each
 * client every backend draws a number u of its own from (0, 1], and the smallest -ln(u) / weight wins. So
 * each wins in proportion to its weight, and when one goes only its own clients move, each to its second
 * choice. Nothing but names and weights decides: all workers, and all proxies with this configuration, agree.
 * See Schindelhauer and Schomaker, "Weighted Distributed Hash Tables" (2005). O(n); `admits` is asked only
 * of a backend that would win.
 */
export const sourceHash: BalancerKind = {
  make(tier) {
    const seeds = Int32Array.from({ length: tier.size }, (_, index) => hash(tier.name(index)));
    const weights = Float64Array.from({ length: tier.size }, (_, index) => tier.weight(index));

    return {
      pick({ address }) {
        const client = hash(address);
        let best = -1;
        let bestScore = Number.POSITIVE_INFINITY;
        for (let index = 0; index < seeds.length; index++) {
          const weight = weights[index] ?? 0;
          if (weight === 0) continue;
          const missing = (mix((seeds[index] ?? 0) ^ client) >>> 0) * 2 ** -32; // 1 - u
          // Since -ln(u) is never below 1 - u, most are out of the race without a logarithm.
          if (missing >= bestScore * weight) continue;
          const score = -Math.log1p(-missing) / (weight * (tier.rampPercent(index) / 100));
          if (score >= bestScore || !tier.admits(index)) continue;
          best = index;
          bestScore = score;
        }
        return best;
      },
    };
  },
  possible: certainPick,
  otherNames: ['source', 'ip_hash', 'src', 'sh', 'hash', 'consistent-hash', 'ring_hash', 'maglev', 'sticky'],
};

/** FNV-1a over the text's UTF-16 units, then mixed, for FNV leaves the high bits poor. */
function hash(text: string): number {
  let word = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) word = Math.imul(word ^ text.charCodeAt(at), 0x01000193);
  return mix(word);
}

/** The finalizer of MurmurHash3: every bit of the word changes half of the bits of the result. */
function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
