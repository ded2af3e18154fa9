/** What a client can be seen to speak from its first bytes; `unknown` is everything else, silence included. */
export const protocols = ['ssh', 'tls', 'http', 'postgres', 'redis', 'unknown'] as const;

export type Protocol = (typeof protocols)[number];
