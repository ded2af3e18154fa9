import { describe, expect, it } from 'vitest';
import { CertificateTable, certificateFacts } from '../../../src/drivers/tls/certificate-names.ts';
import { authority, selfSigned } from '../../support/certificate.ts';

const rsa = (...names: string[]) => ({ names, keyKind: 'rsa' });
const ec = (...names: string[]) => ({ names, keyKind: 'ec' });

describe('CertificateTable', () => {
  it('serves a name with the first certificate of each kind of key', () => {
    const table = new CertificateTable([rsa('a.x', 'b.x'), ec('b.x'), rsa('b.x'), ec('b.x', 'c.x')]);
    expect([table.find('a.x'), table.find('b.x'), table.find('c.x')]).toEqual([[0], [0, 1], [3]]);
  });

  it('prefers the exact name of whatever kind to a wildcard, which stands for one label', () => {
    const table = new CertificateTable([ec('default.x'), ec('*.x'), rsa('*.x'), rsa('a.x')]);
    expect([table.find('a.x'), table.find('b.x'), table.find('b.a.x'), table.find('x')]).toEqual([
      [3],
      [1, 2],
      [0],
      [0],
    ]);
  });

  it('knows a name in capitals and with the dot that ends it', () => {
    const table = new CertificateTable([ec('default.x'), ec('a.x'), ec('*.b.x')]);
    expect(['A.X', 'a.x.', 'A.x.', 'a.x..', 'C.B.X.', '.', ''].map((name) => table.find(name))).toEqual([
      [1],
      [1],
      [1],
      [0],
      [2],
      [0],
      [0],
    ]);
  });

  const table = new CertificateTable([ec('default.x'), ec('a.example', '*.b.example'), ec('x.b.example')]);
  it.each([
    ['a.example', 1],
    ['A.Example.', 1],
    ['x.b.example', 2],
    ['x.b.example.', 2],
    ['y.b.example.', 1],
  ])('finds %s, in either case and with the dot that may end a full name', (name, index) => {
    expect(table.find(name)).toEqual([index]);
  });

  it.each(['', '.', 'example', 'b.example', '.b.example', 'x.y.b.example', 'a.example..'])(
    'finds nothing but the first for %j',
    (name) => {
      expect(table.find(name)).toEqual([0]);
    },
  );

  it('shows the first where no name fits, with those of other kinds that are for the same', () => {
    expect(new CertificateTable([rsa('a.x'), ec('b.x'), ec('a.x')]).byDefault).toEqual([0, 2]);
    expect(new CertificateTable([rsa(), ec('b.x'), ec(), rsa()]).byDefault).toEqual([0, 2]);
    expect(new CertificateTable([ec('*.x'), rsa('a.x')]).byDefault).toEqual([0]);
  });
});

describe('certificateFacts', () => {
  it('tells names and kinds of keys', () => {
    const issuer = authority('ours');
    expect(certificateFacts(selfSigned('A.example', '*.b.example').cert)).toEqual(
      ec('a.example', '*.b.example'),
    );
    expect(certificateFacts(issuer.issue({ commonName: 'c.example', kind: 'rsa' }).cert)).toEqual(
      rsa('c.example'),
    );
    expect(certificateFacts(issuer.issue({ names: ['192.0.2.1'] }).cert)).toEqual(ec());
  });
});
