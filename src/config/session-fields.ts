/** The fields that the line of a session can have, in the order in which they are written. */
export const sessionFields = [
  'listener',
  'pool',
  'backend',
  'backendName',
  'client',
  'attempts',
  'queueMs',
  'connectMs',
  'firstByteMs',
  'durationMs',
  'bytesToBackend',
  'bytesToClient',
  'reason',
  'endedBy',
  'detail',
  'dials',
  'sni',
  'alpn',
  'protocol',
  'tlsVersion',
  'clientSubject',
  'uniqueId',
] as const;

export type SessionField = (typeof sessionFields)[number];
