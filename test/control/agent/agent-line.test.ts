import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentWords, parseAgentLine } from '../../../src/control/agent/agent-line.ts';

describe('parseAgentLine', () => {
  it.each<[string, AgentWords]>([
    ['', {}],
    ['drain', { state: 'drain' }],
    ['MAINT', { state: 'maint' }],
    ['ready', { state: 'ready' }],
    ['up', { health: 'up' }],
    ['down', { health: 'down' }],
    ['stopped', { health: 'stopped' }],
    ['fail', { health: 'fail' }],
    ['down # no space left', { health: 'down', description: 'no space left' }],
    ['stopped #upgrade #2', { health: 'stopped', description: 'upgrade #2' }],
    ['50%', { weight: '50%' }],
    ['weight:75%', { weight: '75%' }],
    ['weight:3', { weight: 3 }],
    ['weight:256', { weight: 256 }],
    ['0%', { weight: '0%' }],
    ['maxconn:30', { maxConnections: 30 }],
    ['maxconn:0', { maxConnections: 'unlimited' }],
    ['ready, up\t50% maxconn:30', { state: 'ready', health: 'up', weight: '50%', maxConnections: 30 }],
    ['drain ready', { state: 'ready' }],
    ['up down', { health: 'down' }],
    ['10% weight:4 20%', { weight: '20%' }],
    ['up 50', { health: 'up', unknown: '50' }],
    ['weight:257', { unknown: 'weight:257' }],
    ['50%x', { unknown: '50%x' }],
    ['weight:3x drain Fast', { state: 'drain', unknown: 'weight:3x' }],
    ['maxconn:-1', { unknown: 'maxconn:-1' }],
  ])('takes %j for %j', (line, words) => {
    expect(parseAgentLine(line)).toEqual(words);
  });

  it('says of any text what it means, and reads words whatever parts them', () => {
    fc.assert(fc.property(fc.string({ maxLength: 1_024 }), (line) => void parseAgentLine(line)));
    const words = fc.shuffledSubarray(['drain', 'UP', '50%', 'maxconn:7'], { minLength: 4 });
    const gap = fc.constantFrom(' ', ',', '\t', ', ', '  ');
    fc.assert(
      fc.property(words, gap, (all, between) => {
        expect(parseAgentLine(all.join(between))).toEqual({
          ...{ state: 'drain', health: 'up', weight: '50%', maxConnections: 7 },
        });
      }),
    );
  });
});
