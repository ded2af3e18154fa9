import { describe, expect, it } from 'vitest';
import { DescriptorBudget } from '../../../src/drivers/descriptor-budget.ts';
import { Descriptors } from '../../../src/drivers/uring/descriptors.ts';

function closing() {
  const done: string[] = [];
  const note = (what: string) => (fd: number) => void done.push(`${what} ${fd}`);
  const descriptors = new Descriptors({
    ring: { closeDescriptor: note('ring') },
    sockets: { open: () => done.push('open'), close: note('now') },
    resources: { closes: note('forget') },
    links: { dialsOwed: 0 },
    budget: new DescriptorBudget(new Int32Array(1), 0),
  });
  return { descriptors, done };
}

describe('Descriptors', () => {
  it('gives the ring what is to be closed, and keeps it noted until then', () => {
    const { descriptors, done } = closing();
    descriptors.close(7);
    descriptors.close(9);
    expect(done).toEqual([]);
    expect(descriptors.submit()).toBe(true);
    expect(done).toEqual(['forget 7', 'ring 7', 'forget 9', 'ring 9']);
  });

  it('closes each descriptor once, for its number may be given again', () => {
    const { descriptors, done } = closing();
    descriptors.close(7);
    descriptors.submit();
    expect(descriptors.submit()).toBe(false);
    expect(descriptors.closeNow()).toBe(false);
    expect(done).toEqual(['forget 7', 'ring 7']);
  });

  it('closes at once where a descriptor is needed', () => {
    const { descriptors, done } = closing();
    descriptors.close(7);
    expect(descriptors.closeNow()).toBe(true);
    expect(descriptors.submit()).toBe(false);
    expect(done).toEqual(['now 7']);
  });

  it('closes at once while somebody waits for a descriptor, and says that one is free', () => {
    const { descriptors, done } = closing();
    descriptors.awaited = () => done.push('free');
    descriptors.close(7);
    expect(done).toEqual(['now 7', 'free']);
  });

  it('closes what is to be closed for a socket that could not be opened', () => {
    const done: string[] = [];
    const descriptors = new Descriptors({
      ring: { closeDescriptor: () => {} },
      sockets: { open: () => (done.length === 0 ? -24 : 7), close: (fd) => done.push(`now ${fd}`) },
      resources: { closes: () => {} },
      links: { dialsOwed: 0 },
      budget: new DescriptorBudget(new Int32Array(1), 0),
    });
    descriptors.close(5);
    expect(descriptors.open(new Uint8Array(16))).toBe(7);
    expect(done).toEqual(['now 5']);
  });
});
