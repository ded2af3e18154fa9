/**
 * What postgres clients say ahead of TLS (PostgreSQL, "Frontend/Backend Protocol", "SSL Session Encryption"), and what
 * attackers say behind it: bytes that came before the answer are plain and claim to be encrypted (CVE-2021-23222).
 */
import { describe, expect, it } from 'vitest';
import { firstRequest } from '../../../src/core/admission/tls.ts';
import type { Command } from '../../../src/core/contract.ts';
import { backendPlan, CoreStage, listenerPlan, listenerTls, poolPlan } from '../harness.ts';
import { hello, serverName } from '../wire/hello.ts';

const sslRequest = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const gssencRequest = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];
const query = [...Buffer.from('Q\0\0\0\rselect 1\0')];
const startup = [0, 0, 0, 8, 0, 3, 0, 0];
const named = [...hello({ extensions: [serverName('a.example')] })];

describe('Session of a postgres client on a listener with TLS', () => {
  it.each([
    ['asks for TLS', [sslRequest, named], 'S'],
    ['asks byte by byte', [...sslRequest.map((byte) => [byte]), named], 'S'],
    ['asks for GSSAPI first', [gssencRequest, sslRequest, named], 'NS'],
    ['asks for both in one segment', [[...gssencRequest, ...sslRequest], named], 'NS'],
    ['asks for GSSAPI and begins with TLS at once', [gssencRequest, named], 'N'],
    ['does not ask', [named], ''],
  ])('begins its handshake where it %s', (_, segments, answers) => {
    const { answered, last } = said(segments);
    expect(answered).toBe(answers);
    expect(last).toMatchObject({ kind: 'start-tls', as: 'server', serverName: 'a.example' });
  });

  it.each([
    ['sends a hello behind its request', [[...sslRequest, ...named]], ''],
    ['sends plain bytes behind its request', [[...sslRequest, ...query]], ''],
    ['sends one byte behind its request', [[...sslRequest, 0x16]], ''],
    ['sends bytes behind its request after GSSAPI', [[...gssencRequest, ...sslRequest, ...named]], 'N'],
    ['asks for GSSAPI again and again', [[...gssencRequest, ...gssencRequest]], 'N'],
    ['asks for GSSAPI again after the answer', [gssencRequest, gssencRequest], 'N'],
    ['begins in plain text', [startup], ''],
    ['begins in plain text after GSSAPI', [gssencRequest, startup], 'N'],
    ['asks again once it was told yes', [sslRequest, sslRequest], 'S'],
    ['asks for GSSAPI once it was told yes', [sslRequest, gssencRequest], 'S'],
    ['goes on in plain text once it was told yes', [sslRequest, query], 'S'],
  ])('is tls-failed where it %s', (_, segments, answers) => {
    const { stage, session, answered, last } = said(segments);
    expect(answered).toBe(answers);
    // FIN, for a reset might overtake the answer.
    expect(last).toEqual({ kind: 'close', link: session, how: 'fin' });
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'tls-failed', endedBy: 'proxy', attempts: 0 });
  });
});

it('A first request is told by as few bytes as show it', () => {
  const told = (...bytes: number[]) => firstRequest(Uint8Array.from(bytes));
  expect(told()).toBe('more');
  expect(told(0x16)).toBe('tls');
  expect(told(0x15)).toBe('neither');
  expect(told(0)).toBe('more');
  expect(told(0, 0, 0, 9)).toBe('neither');
  expect(told(...sslRequest.slice(0, 7))).toBe('more');
  expect(told(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2e)).toBe('neither');
  expect(told(...gssencRequest, ...sslRequest)).toBe('gssenc-request');
});

/** One client that sends its segments, each after what came back for the one before; the last thing done about it. */
function said(segments: readonly (readonly number[])[]) {
  const stage = new CoreStage({
    listeners: [listenerPlan({ tls: listenerTls })],
    pools: [poolPlan([backendPlan(0)])],
  });
  const { session } = stage.connect();
  let answered = '';
  let held: number[] = [];
  let last: Command | undefined;
  for (const segment of segments) {
    held.push(...segment);
    const bytes = Uint8Array.from(held);
    for (const command of stage.say({ kind: 'received', link: session, bytes })) {
      last = command;
      if (command.kind === 'send') answered += String.fromCharCode(...command.bytes);
      if (command.kind === 'discard') held = held.slice(command.bytes);
    }
  }
  return { stage, session, answered, last };
}
