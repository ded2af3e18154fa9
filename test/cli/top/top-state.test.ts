import { describe, expect, it } from 'vitest';
import { keysIn } from '../../../src/cli/top/terminal.ts';
import {
  type AfterKey,
  afterKey,
  choice,
  firstState,
  inOrder,
  type TopState,
} from '../../../src/cli/top/top-state.ts';
import { someView } from './some-view.ts';

const view = someView({
  '10.0.0.2:9000': { bytesToClient: 9_000, total: 1 },
  '10.0.0.3:9000': { dialFailures: 3 },
  '10.0.0.9:5432': { total: 5 },
});

function typed(keys: string, from: TopState = firstState): AfterKey {
  return keysIn(keys).reduce<AfterKey>(({ state }, key) => afterKey(state, key, view), { state: from });
}

function chosenBy(keys: string): string | undefined {
  return choice(view, typed(keys).state).backend?.address;
}

describe('The keys of top', () => {
  it('choose a backend, with arrows or j and k, and stay within the list', () => {
    expect(chosenBy('')).toBe('10.0.0.1:9000');
    expect(chosenBy('j')).toBe('10.0.0.2:9000');
    expect(chosenBy('\x1b[B\x1bOB')).toBe('10.0.0.3:9000');
    expect(chosenBy('jj\x1b[A')).toBe('10.0.0.2:9000');
    expect(chosenBy('kk')).toBe('10.0.0.1:9000');
    expect(chosenBy('\x1b[6~')).toBe('10.0.0.9:5432');
    expect(chosenBy('\x1b[6~\x1b[5~')).toBe('10.0.0.1:9000');
  });

  it('sort pools and their backends, the most first, and the choice stays with its backend', () => {
    const order = (key: string): readonly string[] =>
      inOrder(view.pools, typed(key).state.order).flatMap(({ name, backends }) => [
        name,
        ...backends.map(({ address }) => address.slice(7)),
      ]);
    expect(order('n')).toEqual(['app', '1:9000', '2:9000', '3:9000', 'db', '9:5432']);
    expect(order('a')).toEqual(['app', '1:9000', '2:9000', '3:9000', 'db', '9:5432']);
    expect(order('c')).toEqual(['db', '9:5432', 'app', '2:9000', '1:9000', '3:9000']);
    expect(order('b')).toEqual(['app', '2:9000', '1:9000', '3:9000', 'db', '9:5432']);
    expect(order('f')).toEqual(['app', '3:9000', '1:9000', '2:9000', 'db', '9:5432']);
    expect(chosenBy('jc')).toBe('10.0.0.2:9000');
  });

  it.each([
    ['d', 'drain'],
    ['r', 'ready'],
  ])('%s asks first, and only y does it', (key, what) => {
    const asked = typed(`j${key}`);
    const question = { what, pool: 'app', address: '10.0.0.2:9000' };
    expect([asked.state.question, asked.action]).toEqual([question, undefined]);
    expect(typed('y', asked.state)).toMatchObject({ action: question, state: { question: undefined } });
    for (const no of ['n', '\r', '\x1b', 'q', 'd']) {
      const { state, action, quits } = typed(no, asked.state);
      expect([state.question, action, quits, state.message]).toEqual([
        undefined,
        undefined,
        undefined,
        'nothing done',
      ]);
    }
  });

  it('show the sessions of the chosen backend, in their own order, and go back', () => {
    const { state } = typed('js');
    expect(state).toMatchObject({
      page: 'sessions',
      chosen: { address: '10.0.0.2:9000' },
      sessionOrder: 'idle',
    });
    expect(typed('a', state).state).toMatchObject({ page: 'sessions', sessionOrder: 'age', order: 'name' });
    for (const back of ['s', '\x1b', '\x7f', '\r']) expect(typed(back, state).state.page).toBe('backends');
    expect(typed('d', state).state.question).toBeUndefined();
  });

  it('end it: q, or Ctrl-C at any time', () => {
    expect(typed('q').quits).toBe(true);
    expect(typed('\x03').quits).toBe(true);
    expect(typed('d\x03').quits).toBe(true);
    expect(afterKey(firstState, 'q', undefined).quits).toBe(true);
  });

  it('do nothing else, and nothing before the proxy was heard', () => {
    expect(typed('x\x1b[Z').state).toEqual(firstState);
    expect(afterKey(firstState, 'd', undefined).state).toEqual(firstState);
  });
});
