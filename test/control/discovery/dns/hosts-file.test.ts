import { describe, expect, it } from 'vitest';
import { hostsFileNames } from '../../../../src/control/discovery/dns/system-resolver.ts';

describe('hostsFileNames', () => {
  it('are all words of a line but its address, in lower case', () => {
    const text = '127.0.0.1\tlocalhost  App.Internal # the app\r\n\n# 10.0.0.1 gone\n::1 ip6-localhost';
    expect([...hostsFileNames(text)]).toEqual(['localhost', 'app.internal', 'ip6-localhost']);
  });
});
