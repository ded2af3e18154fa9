import { describe, expect, it } from 'vitest';
import type { BackendPlan, BackendTls } from '../../../src/core/plan.ts';
import { backendPlan, CoreStage, planOf, poolPlan, poolPolicy } from '../harness.ts';

const tls: BackendTls = {
  servername: undefined,
  ca: undefined,
  verify: true,
  cert: undefined,
  key: undefined,
};
const established = { version: 'TLSv1.3', alpn: undefined, clientSubject: undefined };

describe('Session whose pool wants TLS', () => {
  it('shakes hands once its backend is there, and is relayed then', () => {
    const stage = of([backendPlan(0)]);
    const { session } = stage.connect();
    const link = stage.backendOf(session) ?? -1;
    stage.nowMs += 5;
    expect(stage.dialed(session)).toEqual([
      {
        kind: 'start-tls',
        link,
        as: 'client',
        tls,
        address: backendPlan(0).address,
        serverName: '10.0.0.1',
        first: undefined,
      },
    ]);
    stage.nowMs += 5;
    expect(stage.say({ kind: 'tls-established', link, tls: established })).toEqual([stage.joinOf(session)]);
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({ reason: 'finished', connectMs: 10, attempts: 1 });
  });

  it.each([
    ['the name of the pool', { servername: 'pool.example' }, { hostName: 'host.example' }, 'pool.example'],
    ['the backend’s own name', {}, { hostName: 'host.example' }, 'host.example'],
    ['this machine, on a unix socket', {}, { address: { path: '/run/app.sock' } }, 'localhost'],
  ] as const)('asks for %s', (_, more: Partial<BackendTls>, backend: Partial<BackendPlan>, serverName) => {
    const connect = { ...poolPolicy.connect, tls: { ...tls, ...more } };
    const stage = new CoreStage(planOf(poolPlan([backendPlan(0, backend)], { connect })));
    expect(stage.dialed(stage.connect().session)).toMatchObject([{ kind: 'start-tls', serverName }]);
  });

  it('keeps until when the certificate is good that its backend shows, also where that is refused', () => {
    const stage = of([backendPlan(0), backendPlan(1)]);
    const { session } = stage.connect();
    const link = stage.backendOf(session) ?? -1;
    stage.dialed(session);
    expect(stage.say({ kind: 'certificate-shown', link, notAfterMs: 1_900_000_000_000 })).toEqual([]);
    stage.say({ kind: 'tls-failed', link, detail: 'certificate has expired' });
    expect([0, 1].map((slot) => stage.ledger.certificateNotAfterMs[slot])).toEqual([1_900_000_000_000, 0]);
  });

  it('goes to another backend where the handshake fails, once the link has ended', () => {
    const stage = of([backendPlan(0), backendPlan(1)]);
    const { session } = stage.connect();
    const link = stage.backendOf(session) ?? -1;
    stage.dialed(session);
    expect(stage.say({ kind: 'tls-failed', link, detail: 'self-signed certificate' })).toEqual([
      { kind: 'close', link, how: 'reset' },
    ]);
    expect(stage.ledger.backendActive.total(0)).toBe(1);
    expect(stage.close(link)).toEqual([stage.dialOf(session)]);
    expect(stage.ledger.backendTotals(0).dialFailures('connect-failed')).toBe(1);
    expect(stage.ledger.backendActive.total(0)).toBe(0);
  });

  it('takes a backend that leaves in its handshake for one that can’t be dialed, and says the cause in the end', () => {
    const stage = of([backendPlan(0)], 0);
    const { session } = stage.connect();
    stage.dialed(session);
    expect(CoreStage.closed(stage.close(stage.backendOf(session) ?? -1, 'finished'))).toEqual(['reset']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({
      reason: 'connect-failed',
      detail: 'The backend closed the connection in its TLS handshake',
    });
  });

  it('has one time for both', () => {
    const stage = of([backendPlan(0)], 0);
    const { session } = stage.connect();
    const link = stage.backendOf(session) ?? -1;
    stage.elapse(1_500);
    stage.dialed(session);
    expect(stage.elapse(499)).toEqual([]);
    expect(stage.elapse(1)).toEqual([{ kind: 'close', link, how: 'reset' }]);
    stage.close(link);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({
      reason: 'connect-timeout',
      detail: 'No TLS handshake within 2000 ms',
    });
  });

  it('counts a failed handshake against the backend', () => {
    const connect = { ...poolPolicy.connect, tls, retries: 0 };
    const circuitBreaker = {
      consecutiveFailures: 1,
      openForMs: 5_000,
      maxOpenForMs: 5_000,
      halfOpenTrials: 1,
    };
    const stage = new CoreStage(planOf(poolPlan(1, { connect, circuitBreaker })));
    const { session } = stage.connect();
    stage.dialed(session);
    expect(stage.ledger.circuitOf(0)).toBe('closed');
    stage.say({ kind: 'tls-failed', link: stage.backendOf(session) ?? -1, detail: 'expired' });
    expect(stage.ledger.circuitOf(0)).toBe('open');
  });

  it('says the errno of a dial that failed', () => {
    const stage = of([backendPlan(0)], 0);
    const { session } = stage.connect();
    stage.failDial(session);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'connect-refused', detail: 'ECONNREFUSED' });
  });
});

function of(backends: readonly BackendPlan[], retries = 2): CoreStage {
  return new CoreStage(planOf(poolPlan(backends, { connect: { ...poolPolicy.connect, tls, retries } })));
}
