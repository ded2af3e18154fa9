/** What routes are told of a client that was described: by its bytes, or by what is said of them. */
import type { ListenerPolicy, ListenerTls } from '../plan.ts';
import type { Reason } from '../reasons.ts';
import { nothingYet, type ObservedFacts, Sniffer, settled } from '../wire/sniffer.ts';
import { isSilent } from './entering.ts';
import type { Inquiry, Wait } from './explanation.ts';

export interface Sight {
  readonly facts: ObservedFacts;
  /** Whether it has begun to say what routes look at. */
  readonly hasSpoken: boolean;
  readonly waits: readonly Wait[];
  readonly refusal: Reason | undefined;
}

/** `payload` is what the client sends, behind a PROXY protocol header. */
export function see({ tls, inspect }: ListenerPolicy, inquiry: Inquiry, payload: Uint8Array): Sight {
  const sniffer = new Sniffer();
  sniffer.read(payload.subarray(0, inspect.maxBytes));
  if (payload.length >= inspect.maxBytes) sniffer.cut();
  if (tls !== 'off') {
    // How much of a hello the engine reads is not up to `inspect`.
    const hello = new Sniffer();
    hello.read(payload);
    return seeBehind(tls, inquiry, payload, hello.protocol === 'tls' ? hello : sniffer);
  }
  const hasSpoken = payload.length > 0 || !isSilent({ ...inquiry, bytes: payload });
  return {
    facts: told(inquiry, payload.length > 0 ? sniffer : undefined),
    hasSpoken,
    waits: [],
    refusal: undefined,
  };
}

/** Where TLS ends here, the handshake tells the name, and the bytes are the plain ones or the hello. */
function seeBehind(tls: ListenerTls, inquiry: Inquiry, payload: Uint8Array, sniffer: Sniffer): Sight {
  const isHello = sniffer.protocol === 'tls';
  const offers = inquiry.alpn ?? (isHello ? sniffer.facts.alpn : null);
  const agreed = tls.alpn.find((one) => offers?.includes(one));
  const facts = told(
    { ...inquiry, sni: undefined, alpn: undefined },
    payload.length > 0 && !isHello ? sniffer : undefined,
  );
  const sight: Sight = {
    facts: {
      ...facts,
      sni: inquiry.sni ?? (isHello ? sniffer.facts.sni : null),
      alpn: offers === undefined ? undefined : agreed === undefined ? null : [agreed],
    },
    hasSpoken: facts !== nothingYet || (payload.length > 0 && !isHello),
    waits: [],
    refusal: undefined,
  };
  if (isHello && sniffer.facts.sni === undefined && inquiry.sni === undefined) {
    const wait: Wait = { for: 'handshake', upToMs: tls.handshakeTimeoutMs };
    return { ...sight, waits: sniffer.facts.isFinal ? [] : [wait], refusal: 'tls-failed' };
  }
  // RFC 7301, 3.2: a server that shares none of the protocols ends the handshake.
  const disagrees = tls.alpn.length > 0 && offers?.length && agreed === undefined;
  return disagrees ? { ...sight, refusal: 'tls-failed' } : sight;
}

/** What is said goes before what was seen; where nothing was seen, what is not said is not there. */
function told({ sni, alpn, httpHost, protocol }: Inquiry, sniffer: Sniffer | undefined): ObservedFacts {
  const implied =
    sni !== undefined || alpn !== undefined ? 'tls' : httpHost === undefined ? undefined : 'http';
  const spoken = protocol ?? (sniffer === undefined ? implied : undefined);
  if (sniffer === undefined && spoken === undefined) return nothingYet;
  const seen = sniffer?.facts ?? settled(nothingYet);
  return {
    ...seen,
    ...(spoken !== undefined && { protocols: [spoken] }),
    ...(sni !== undefined && { sni }),
    ...(alpn !== undefined && { alpn: alpn.length === 0 ? null : alpn }),
    ...(httpHost !== undefined && { httpHost }),
  };
}
