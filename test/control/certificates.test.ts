import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { Certificates } from '../../src/control/certificates.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import { Events } from '../../src/telemetry/events.ts';
import { selfSigned, type TestCertificate } from '../support/certificate.ts';
import { configOf, readFrom } from '../support/configuration.ts';

const capacity = { workers: 1, listeners: 1, pools: 1, backends: 1, splits: 1, clients: 16 };

it('tells which certificates a configuration brings, and which of them take the place of another', () => {
  const events = new Events(0);
  const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
  const certificates = new Certificates(ledger, pino({ enabled: false }), events);
  onTestFinished(() => certificates.close());
  const follow = (...shown: readonly TestCertificate[]): readonly object[] => {
    const before = events.recent.length;
    certificates.follow(configWith(shown), { listeners: [], pools: [] });
    return events.recent.slice(before).map(({ kind, data }) => ({ kind, ...data }));
  };
  const told = (name: string, certificate: string) => ({
    ...{ kind: 'certificate', listener: 'web', name, certificate },
    expires: '2099-12-31T23:59:59.000Z',
  });
  const old = selfSigned('a.example');
  expect(follow(old)).toEqual([told('a.example', 'loaded')]);
  expect(follow(old)).toEqual([]);
  expect(follow(selfSigned('a.example'), selfSigned('b.example'))).toEqual([
    told('a.example', 'changed'),
    told('b.example', 'loaded'),
  ]);
});

function configWith(shown: readonly TestCertificate[]) {
  const files = Object.fromEntries(
    shown.flatMap(({ cert, key }, index) => [
      [`/${index}.pem`, cert],
      [`/${index}.key`, key],
    ]),
  );
  const certificates = shown.map((_, index) => `{ cert: ${index}.pem, key: ${index}.key }`);
  const text = `version: 1
listeners: { web: { bind: 127.0.0.1:0, pool: app, tls: { certificates: [${certificates}] } } }
pools: { app: { backends: [10.0.0.1:443] } }
`;
  return configOf(parseConfig(text, { file: '/sluice.yaml', env: {}, readFile: readFrom(files) }));
}
