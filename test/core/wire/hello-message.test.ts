import { describe, expect, it } from 'vitest';
import { HelloMessage } from '../../../src/core/wire/hello-message.ts';
import { ascii, inRecords, message, record } from './hello.ts';

const spoken = message(ascii('what is said'));

describe('HelloMessage', () => {
  it.each([1, 5, 100])('gives the message without its header, from records of %i bytes', (size) => {
    const found = new HelloMessage().read(inRecords(spoken, [size]));
    expect(found.state === 'complete' && found.body.text()).toBe('what is said');
  });

  it('keeps its answer', () => {
    const bytes = inRecords(spoken);
    const reader = new HelloMessage();
    const answer = reader.read(bytes);
    expect(reader.read(Uint8Array.from([...bytes, ...record([1])]))).toBe(answer);
    expect(answer.state).toBe('complete');
  });
});
