import { describe, expect, it } from 'vitest';
import { systemFile } from '../../../../src/control/discovery/dns/system-resolver.ts';

describe('systemFile', () => {
  it.each(['/nonexistent/resolv.conf', '/'])('is empty where %s is no file', async (path) => {
    expect(await systemFile(path)).toBe('');
  });

  it('does not take a file for empty that there was no descriptor for', async () => {
    const read = () => Promise.reject(Object.assign(new Error('open EMFILE'), { code: 'EMFILE' }));
    await expect(systemFile('/etc/hosts', read)).rejects.toThrow('EMFILE');
  });
});
