/** That a backend is told who its client is, in the way and with the particulars that its pool asks for. */
import type { SentProxyProtocol } from '../../src/core/plan.ts';
import { ProxyHeaderParser } from '../../src/core/wire/proxy-reading.ts';
import type { ShadowSession } from './shadow-session.ts';
import { must } from './violation.ts';
import { localEndpoint } from './virtual-driver.ts';

export function checkPreamble(
  session: ShadowSession,
  sent: SentProxyProtocol | 'off',
  preamble: Uint8Array | undefined,
): void {
  const { id, arrival } = session;
  if (sent === 'off')
    return must(preamble === undefined, () => `session ${id} has a preamble that nobody wants`);
  must(preamble !== undefined, () => `session ${id} is relayed without a preamble`);
  const found = new ProxyHeaderParser().read(preamble);
  must(
    found.state === 'complete' && found.length === preamble.length,
    () => `the preamble of session ${id} is none`,
  );
  const version = preamble[0] === 0x0d ? 'v2' : 'v1';
  must(version === sent.version, () => `the preamble of session ${id} is ${version}`);

  const destination = arrival.announced?.destination ?? {
    address: localEndpoint.address,
    port: localEndpoint.port,
  };
  const isUnix = [arrival.client, destination].map(({ address }) => address === 'unix');
  // No family has a unix socket at one end alone, and version 1 has none at all.
  const isUnsaid = isUnix.includes(true) && (version === 'v1' || isUnix.includes(false));
  const told = found.header.source === 'own' ? undefined : found.header;
  must(isUnsaid === (told === undefined), () => `the preamble of session ${id} says ${found.header.source}`);
  const uniqueId = told?.uniqueId && Buffer.from(told.uniqueId).toString('latin1');
  if (sent.include.includes('unique-id')) noteId(session, uniqueId);
  if (told === undefined) return;

  const only = <Value>(what: SentProxyProtocol['include'][number], value: Value): Value | undefined =>
    sent.include.includes(what) ? value : undefined;
  const expected = {
    client: arrival.client,
    destination,
    authority: only('sni', arrival.sni),
    alpn: only('alpn', arrival.alpn),
    uniqueId: only('unique-id', session.uniqueId),
  };
  const { client, authority, alpn } = told;
  const says = JSON.stringify({ client, destination: told.destination, authority, alpn, uniqueId });
  const wanted = JSON.stringify(expected);
  must(says === wanted, () => `the preamble of session ${id} says ${says}, expected ${wanted}`);
}

/** A session that has an id keeps it. */
function noteId(session: ShadowSession, told: string | undefined): void {
  if (session.uniqueId !== undefined && session.uniqueId !== unseenId) return;
  session.uniqueId = told ?? unseenId;
  must(told === undefined || isDrawnId(told), () => `session ${session.id} was given the id ${told}`);
}

export function isDrawnId(id: string): boolean {
  return /^[0-9a-f]{32}$/.test(id);
}

/** An id was drawn, for a header that cannot tell it. */
export const unseenId = 'unseen';
