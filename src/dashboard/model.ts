/** What the API says, as far as the page looks at it. Times are ISO 8601. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly driver: string;
  readonly started: string;
  readonly phase: 'starting' | 'serving' | 'draining';
  readonly configuration: {
    readonly file: string | null;
    readonly hash: string | null;
    readonly loaded: string;
    readonly lastReloadFailed: boolean;
  };
  readonly pendingRestart: readonly string[];
  readonly listeners: Readonly<Record<string, Listener>>;
  readonly pools: Readonly<Record<string, Pool>>;
}

export type Limit = number | 'unlimited';

export interface Counted {
  readonly active: number;
  readonly limit: Limit;
  readonly total: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

export interface Listener extends Counted {
  readonly bind: string | readonly string[];
  readonly driver: string;
  /** Sessions that ended, by their reasons. */
  readonly closed: Readonly<Record<string, number>>;
  readonly accept: 'on' | 'paused' | 'off';
}

export interface Pool {
  readonly balance: string;
  readonly active: number;
  readonly limit: Limit;
  readonly queue: number;
  readonly queueLimit: Limit;
  readonly longestWaitMs: number;
  readonly hold: Hold | null;
  readonly names: readonly { readonly name: string; readonly problem: string | null }[];
  readonly backends: readonly Backend[];
}

export interface Hold {
  /** `releasing`: clients go, so many a second. */
  readonly phase: 'held' | 'releasing';
  readonly since: string;
  readonly until: string | null;
  readonly then: 'resume' | 'refuse';
  readonly rate: Limit;
  readonly by: string;
  readonly reason: string | null;
}

export type AdminState = 'ready' | 'drain' | 'maint';

export interface Backend extends Counted {
  readonly address: string;
  /** What its address was resolved from. */
  readonly name: string | null;
  readonly state: AdminState;
  readonly stateSince: string;
  readonly layers: Readonly<Record<'configuration' | 'operator' | 'source', AdminState>> | null;
  readonly weight: number;
  readonly effectiveWeight: number;
  readonly backup: boolean;
  readonly health: 'up' | 'down' | 'unknown';
  readonly healthSince: string;
  readonly lastCheck: {
    readonly at: string;
    readonly pass: boolean;
    readonly detail: string;
  } | null;
  readonly agent: { readonly answer: string | null } | null;
  readonly circuit: 'closed' | 'open' | 'half-open';
  readonly circuitSince: string;
  readonly nextTrial: string | null;
  readonly lastError: { readonly at: string; readonly error: string } | null;
  readonly lastDialError: { readonly at: string; readonly error: string } | null;
  readonly dialFailures: number;
  /** Since the start. */
  readonly meanFirstByteMs: number | null;
  readonly unavailable: string | null;
  readonly certificate: { readonly name: string; readonly expires: string } | null;
}

export interface Override {
  /** What it is of: a listener, a pool, or a backend of one. */
  readonly listener?: string;
  readonly pool?: string;
  readonly backend?: string;
  readonly field: string;
  /** A hold is an object. */
  readonly value: string | number | object;
  readonly configured: string | number;
  readonly since: string;
  readonly until: string | null;
  readonly by: string;
  readonly reason: string | null;
}

export interface Session {
  readonly id: string;
  readonly state: string;
  readonly listener: string;
  readonly client: string;
  readonly pool?: string;
  readonly backend?: string;
  readonly protocol?: string;
  readonly sni?: string;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

export interface ProxyEvent {
  readonly id: string;
  readonly kind: string;
  readonly at: string;
  readonly [field: string]: unknown;
}

/** The last quarter of an hour, oldest first. */
export interface Series {
  readonly active: readonly number[];
  readonly connections: readonly number[];
  readonly failures: readonly number[];
  readonly bytes: readonly number[];
}

export interface Caller {
  readonly name: string;
  readonly may: 'read' | 'operate';
}
