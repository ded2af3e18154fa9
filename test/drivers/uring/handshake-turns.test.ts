import { expect, it } from 'vitest';
import { HandshakeTurns } from '../../../src/drivers/uring/handshake-turns.ts';

/** Which handshakes have taken a step in each turn, if each step takes so long. */
function turnsOf(links: number, stepMs: number): number[][] {
  let nowMs = 0;
  const turns: number[][] = [];
  const handshakes = new HandshakeTurns(() => nowMs);
  for (let link = 0; link < links; link++) {
    handshakes.add({
      stepHandshake() {
        turns.at(-1)?.push(link);
        nowMs += stepMs;
      },
    });
  }
  while (handshakes.areThere) {
    turns.push([]);
    handshakes.step();
  }
  return turns;
}

it('gives one handshake its step in a turn, where that takes long', () => {
  expect(turnsOf(3, 0.7)).toEqual([[0], [1], [2]]);
});

it('gives several their steps, one after the other, where these are short', () => {
  expect(turnsOf(5, 0.25)).toEqual([
    [0, 1, 2],
    [3, 4],
  ]);
});
