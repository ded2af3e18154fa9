import { describe, expect, test } from 'vitest';
import { ownCertificates } from '../../src/config/certificates.ts';
import { parseConfig } from '../../src/config/load.ts';
import { authority, type Subject } from '../support/certificate.ts';
import { configOf, readFrom } from '../support/configuration.ts';

const ca = authority('Test');

/** A configuration whose files a.pem, a.key and so on are certificates of these. */
function parse(subjects: Readonly<Record<string, Subject>>, sections: string) {
  const files = Object.entries(subjects).flatMap(([name, subject]) => {
    const { cert, key } = ca.issue(subject);
    return [
      [`/${name}.pem`, cert],
      [`/${name}.key`, key],
    ];
  });
  const text = `version: 1\n${sections}`;
  return parseConfig(text, { file: '/sluice.yaml', env: {}, readFile: readFrom(Object.fromEntries(files)) });
}

const inDays = (days: number): Date => new Date(Date.now() + (days * 24 + 12) * 3_600_000);

describe('ownCertificates', () => {
  test('gives those of listeners and those that pools show, by name, with their ends', () => {
    const expires = new Date('2031-02-03T04:05:06Z');
    const config = configOf(
      parse(
        {
          a: { names: ['a.example', 'b.example'], expires },
          b: { names: ['127.0.0.1'], expires },
          c: { commonName: 'Proxy 7' },
          d: { names: ['checks.internal'] },
        },
        `
listeners:
  web:
    bind: 127.0.0.1:0
    pool: app
    tls: { certificates: [{ cert: a.pem, key: a.key }, { cert: b.pem, key: b.key }] }
  plain: { bind: 127.0.0.1:0, pool: app }
pools:
  app:
    backends: [10.0.0.1:443]
    connect: { tls: { cert: c.pem, key: c.key } }
    healthCheck: { type: https, tls: { cert: d.pem, key: d.key } }
  other: { backends: [10.0.0.2:443], connect: { tls: {} }, healthCheck: { type: https } }
`,
      ),
    );
    const end = Date.parse('2099-12-31T23:59:59Z');
    expect(ownCertificates(config).map(({ fingerprint: _, ...one }) => one)).toEqual([
      { of: { listener: 'web' }, name: 'a.example', notAfterMs: expires.getTime() },
      { of: { listener: 'web' }, name: '127.0.0.1', notAfterMs: expires.getTime() },
      { of: { pool: 'app' }, name: 'Proxy 7', notAfterMs: end },
      { of: { pool: 'app' }, name: 'checks.internal', notAfterMs: end },
    ]);
  });
});

describe('parseConfig', () => {
  test.each([
    [{ isExpired: true }, /^Expired on Jan {2}1 00:00:00 2001 GMT$/],
    [{ expires: inDays(0) }, /^Expires on .* GMT, within a day$/],
    [{ expires: inDays(1) }, /^Expires on .* GMT, in 1 day$/],
    [{ expires: inDays(13) }, /^Expires on .* GMT, in 13 days$/],
    [{ expires: inDays(14) }, undefined],
  ])('warns of a certificate that is over or soon will be: %j', (subject, message) => {
    const result = parse(
      { a: { names: ['a.example'], ...subject } },
      `
listeners:
  web: { bind: 127.0.0.1:0, pool: app, tls: { certificates: [{ cert: a.pem, key: a.key }] } }
pools: { app: { backends: [10.0.0.1:443] } }
`,
    );
    const warnings = result.ok ? result.warnings : [];
    const expected = {
      path: 'listeners.web.tls.certificates[0].cert',
      message: expect.stringMatching(message ?? ''),
    };
    expect(warnings).toEqual(message === undefined ? [] : [expect.objectContaining(expected)]);
  });
});
