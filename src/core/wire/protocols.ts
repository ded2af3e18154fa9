/** What a client can be seen to speak by its first bytes; `unknown` is anything else. */
export const protocols = ['ssh', 'tls', 'http', 'postgres', 'redis', 'unknown'] as const;

export type Protocol = (typeof protocols)[number];
