import { describe, expect, it } from 'vitest';
import type { BackendTls, ListenerTls, Plan } from '../../src/core/plan.ts';
import { KeptSettings } from '../../src/dataplane/kept-settings.ts';
import { TicketKeys } from '../../src/drivers/ticket-keys.ts';
import { Terminations } from '../../src/drivers/tls/node/termination.ts';
import { listenerPlan, listenerTls, poolPlan, poolPolicy } from '../core/harness.ts';
import { selfSigned } from '../support/certificate.ts';

const tls: ListenerTls = {
  ...listenerTls,
  certificates: [{ cert: 'a certificate', key: 'its key' }],
  alpn: ['h2'],
};

const backendTls: BackendTls = {
  servername: 'app.internal',
  ca: 'an authority',
  verify: true,
  cert: undefined,
  key: undefined,
};

/** As it comes to a worker: objects of its own. */
function message(listener: Partial<ListenerTls> = {}, backend: Partial<BackendTls> = {}): Plan {
  const connect = { ...poolPolicy.connect, tls: { ...backendTls, ...backend } };
  return structuredClone({
    listeners: [listenerPlan({ tls: { ...tls, ...listener } }), listenerPlan()],
    pools: [poolPlan(1, { connect }), { ...poolPlan(1, { connect }), name: 'other' }, poolPlan(1)],
  });
}

function settingsOf({ listeners, pools }: Plan) {
  const [listener] = listeners.map(({ policy }) => policy.tls);
  const [one, other] = pools.map(({ policy }) => policy.connect.tls);
  return { listener, one, other };
}

describe('KeptSettings', () => {
  it('changes nothing of what a plan says', () => {
    const kept = new KeptSettings();
    for (const plan of [message(), message({ alpn: [] }), message()])
      expect(kept.adopt(structuredClone(plan))).toEqual(plan);
  });

  it('has one object for settings that say the same, in one plan and the next', () => {
    const kept = new KeptSettings();
    const first = settingsOf(kept.adopt(message()));
    const second = settingsOf(kept.adopt(message()));
    expect(second.listener).toBe(first.listener);
    expect(second.one).toBe(first.one);
    expect(first.one).toBe(first.other);
  });

  it('has another object for settings that differ in anything', () => {
    const kept = new KeptSettings();
    const { listener, one } = settingsOf(kept.adopt(message()));
    const changes: readonly Partial<ListenerTls>[] = [
      { certificates: [{ cert: 'a certificate', key: 'another key' }] },
      { minVersion: 'TLSv1.3' },
      { alpn: [] },
      { clientAuth: 'required' },
      { clientCa: 'an authority' },
    ];
    for (const change of changes) expect(settingsOf(kept.adopt(message(change))).listener).not.toBe(listener);
    const backends: readonly Partial<BackendTls>[] = [
      { servername: undefined },
      { ca: undefined },
      { verify: false },
      { cert: 'a certificate' },
    ];
    for (const change of backends) expect(settingsOf(kept.adopt(message({}, change))).one).not.toBe(one);
  });

  it('has the certificates that a changed list repeats', () => {
    const kept = new KeptSettings();
    const [first, other] = [
      { cert: 'one', key: 'its key' },
      { cert: 'other', key: 'its key' },
    ];
    const certificatesOf = (certificates: ListenerTls['certificates']) => {
      const { listener } = settingsOf(kept.adopt(message({ certificates })));
      return typeof listener === 'object' ? listener.certificates : [];
    };
    const [before] = certificatesOf([first, other]);
    expect(certificatesOf([first])[0]).toBe(before);
    expect(certificatesOf([other, first])[1]).toBe(before);
  });

  it('has listeners made ready once, whatever plans follow', () => {
    const [kept, terminations] = [new KeptSettings(), new Terminations(new TicketKeys())];
    const ready = () => {
      const { listener } = settingsOf(kept.adopt(message({ certificates: [pair] })));
      return typeof listener === 'object' ? terminations.of(listener) : undefined;
    };
    const pair = selfSigned('a.example');
    const first = ready();
    expect(first).toBeDefined();
    expect(ready()).toBe(first);
  });

  it('forgets what the last plan does not say', () => {
    const kept = new KeptSettings();
    const { listener } = settingsOf(kept.adopt(message()));
    kept.adopt(message({ alpn: [] }));
    expect(settingsOf(kept.adopt(message())).listener).not.toBe(listener);
  });
});
