import { expect, it, vi } from 'vitest';
import { PortableLink, type PortableLinkContext } from '../../../src/drivers/portable/link.ts';

/** A dial that fails with this error of the system: whether the driver is told that it is out of descriptors. */
function tellsOfDescriptors(code: string): boolean {
  const outOfDescriptors = vi.fn();
  const context: Partial<PortableLinkContext> = {
    buffers: { next: () => Buffer.alloc(1) } as Partial<
      PortableLinkContext['buffers']
    > as PortableLinkContext['buffers'],
    memory: { change: () => {} } as Partial<PortableLinkContext['memory']> as PortableLinkContext['memory'],
    now: () => 0,
    closed: () => {},
    outOfDescriptors,
  };
  const link = new PortableLink(1, 0, context as PortableLinkContext);
  link.connect({ host: '127.0.0.1', port: 1 });
  link.failed(Object.assign(new Error(code), { code }));
  link.close('reset');
  return outOfDescriptors.mock.calls.length > 0;
}

it.each([
  ['EMFILE', true],
  ['ENFILE', true],
  ['ENOBUFS', false],
  ['ENOMEM', false],
  ['ECONNREFUSED', false],
])('A dial that fails with %s is for want of descriptors: %s', (code, isShortage) => {
  expect(tellsOfDescriptors(code)).toBe(isShortage);
});
