import { describe, expect, it } from 'vitest';
import { candidates, parseResolvConf } from '../../../../src/control/discovery/dns/system-resolver.ts';

const machine = { env: {}, hostName: 'box' };

describe('parseResolvConf', () => {
  it('reads name servers, search domains and ndots', () => {
    const text = `# of the cluster
nameserver 10.96.0.10
; another
nameserver fd00::10
search ns.svc.cluster.local svc.cluster.local. Cluster.Local
options ndots:5 edns0
`;
    expect(parseResolvConf(text, machine)).toEqual({
      servers: ['10.96.0.10', 'fd00::10'],
      search: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      ndots: 5,
    });
  });

  it('has one dot, no server and no domain where the file says nothing, or is not there', () => {
    expect(parseResolvConf('', machine)).toEqual({ servers: [], search: [], ndots: 1 });
  });

  it('takes the last of "search" and "domain"', () => {
    expect(parseResolvConf('search a b\ndomain c d\n', machine).search).toEqual(['c']);
    expect(parseResolvConf('domain c\nsearch a b\n', machine).search).toEqual(['a', 'b']);
  });

  it('searches the domain of the machine’s name where there is no other', () => {
    const named = { env: {}, hostName: 'box.corp.example' };
    expect(parseResolvConf('', named).search).toEqual(['corp.example']);
    expect(parseResolvConf('search a\n', named).search).toEqual(['a']);
  });

  it('bounds ndots and the number of servers as the system does', () => {
    const servers = [1, 2, 3, 4].map((last) => `nameserver 10.0.0.${last}\n`).join('');
    const found = parseResolvConf(`${servers}options ndots:99\n`, machine);
    expect(found.servers).toHaveLength(3);
    expect(found.ndots).toBe(15);
  });

  it('lets LOCALDOMAIN and RES_OPTIONS win', () => {
    const env = { LOCALDOMAIN: 'x y', RES_OPTIONS: 'ndots:3' };
    expect(parseResolvConf('search a\noptions ndots:2\n', { ...machine, env })).toMatchObject({
      search: ['x', 'y'],
      ndots: 3,
    });
    expect(parseResolvConf('search a\n', { ...machine, env: { LOCALDOMAIN: '' } }).search).toEqual([]);
  });

  it('passes by what it does not know', () => {
    const text =
      'nameserver\nnameserver dns.internal\nnameserver 10.0.0.1 # mine\nsortlist 1.2.3.4\nsearch\n\n';
    expect(parseResolvConf(text, machine)).toEqual({ servers: ['10.0.0.1'], search: [], ndots: 1 });
  });
});

describe('candidates', () => {
  const search = ['a.test', 'b.test'];

  it.each([
    ['app', 1, ['app.a.test', 'app.b.test', 'app']],
    ['app.ns', 1, ['app.ns', 'app.ns.a.test', 'app.ns.b.test']],
    ['app.ns', 5, ['app.ns.a.test', 'app.ns.b.test', 'app.ns']],
    ['app', 0, ['app', 'app.a.test', 'app.b.test']],
    ['app.ns.', 5, ['app.ns']],
    ['app.', 1, ['app']],
  ])('of %s with ndots:%s are %j', (name, ndots, expected) => {
    expect(candidates(name, { search, ndots })).toEqual(expected);
  });

  it('have each name once, and none that is too long', () => {
    expect(candidates('app', { search: ['', 'a.test', 'a.test'], ndots: 1 })).toEqual(['app', 'app.a.test']);
    const long = 'x'.repeat(60).concat('.').repeat(4).slice(0, 243);
    expect(candidates(long, { search: ['a.test.example'], ndots: 1 })).toEqual([long]);
  });
});
