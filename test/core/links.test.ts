import { describe, expect, it } from 'vitest';
import { Links } from '../../src/core/links.ts';

describe('Links', () => {
  it('gives odd numbers, the smallest that are free', () => {
    const links = new Links<string>();
    expect([links.dial('a'), links.dial('b'), links.dial('c')]).toEqual([1, 3, 5]);
    links.forget(3);
    links.freeEnded();
    expect([links.dial('d'), links.dial('e')]).toEqual([3, 7]);
  });

  it('gives a number again only once the event that ended its link is dealt with', () => {
    const links = new Links<string>();
    links.dial('a');
    links.forget(1);
    expect(links.sessionOf(1)).toBeUndefined();
    expect(links.dial('b')).toBe(3);
    links.freeEnded();
    expect(links.dial('c')).toBe(1);
  });

  it('knows the session of each link', () => {
    const links = new Links<string>();
    links.accept(4, 'a');
    const dialed = links.dial('a');
    expect([links.sessionOf(4), links.sessionOf(dialed), links.sessionOf(2)]).toEqual(['a', 'a', undefined]);
    links.forget(4);
    expect([...links.sessions()]).toEqual(['a']);
  });

  it('takes no second last event, and no number that is in use', () => {
    const links = new Links<string>();
    links.accept(0, 'a');
    expect(() => links.accept(0, 'b')).toThrow('until its last event');
    links.dial('a');
    links.forget(1);
    expect(() => links.forget(1)).toThrow('one last event');
  });
});
