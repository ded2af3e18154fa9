/** What routes are told of a client that was described: by its bytes, or by what is said of them. */
import type { ListenerPolicy, ListenerTls } from '../plan.ts';
import type { Reason } from '../reasons.ts';
import type { Facts } from '../router.ts';
import { Sniffer } from '../wire/sniffer.ts';
import { isSilent } from './entering.ts';
import type { Inquiry, Wait } from './explanation.ts';

export interface Sight {
  readonly facts: Facts;
  /** Whether it has begun to say what routes look at. */
  readonly hasSpoken: boolean;
  readonly waits: readonly Wait[];
  readonly refusal: Reason | undefined;
}

/** `payload` is what the client sends, behind a PROXY protocol header. */
export function see({ tls, inspect }: ListenerPolicy, inquiry: Inquiry, payload: Uint8Array): Sight {
  const sniffer = new Sniffer();
  sniffer.read(payload.subarray(0, inspect.maxBytes));
  if (payload.length >= inspect.maxBytes) sniffer.finish();
  if (tls !== 'off') return seeBehind(tls, inquiry, payload, sniffer);
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
  const offers = inquiry.alpn ?? (isHello ? sniffer.alpn : null);
  const agreed = tls.alpn.find((one) => offers?.includes(one));
  const { httpHost, protocol } = told(
    { ...inquiry, sni: undefined, alpn: undefined },
    payload.length > 0 && !isHello ? sniffer : undefined,
  );
  const sight: Sight = {
    facts: {
      protocol,
      httpHost,
      sni: inquiry.sni ?? (isHello ? sniffer.sni : null),
      alpn: offers === undefined ? undefined : agreed === undefined ? null : [agreed],
    },
    hasSpoken: protocol !== undefined || (payload.length > 0 && !isHello),
    waits: [],
    refusal: undefined,
  };
  if (isHello && sniffer.sni === undefined && inquiry.sni === undefined)
    return { ...sight, waits: [{ for: 'handshake', upToMs: tls.handshakeTimeoutMs }], refusal: 'tls-failed' };
  // RFC 7301, 3.2: a server that shares none of the protocols ends the handshake.
  const disagrees = tls.alpn.length > 0 && offers?.length && agreed === undefined;
  return disagrees ? { ...sight, refusal: 'tls-failed' } : sight;
}

/** What is said goes before what was seen; where nothing was seen, what is not said is not there. */
function told({ sni, alpn, httpHost, protocol }: Inquiry, sniffer: Sniffer | undefined): Facts {
  const alpnOrNone = alpn?.length === 0 ? null : alpn;
  if (sniffer !== undefined) {
    return {
      protocol: protocol ?? sniffer.protocol,
      sni: sni ?? sniffer.sni,
      alpn: alpnOrNone === undefined ? sniffer.alpn : alpnOrNone,
      httpHost: httpHost ?? sniffer.httpHost,
    };
  }
  const implied =
    sni !== undefined || alpn !== undefined ? 'tls' : httpHost === undefined ? undefined : 'http';
  const spoken = protocol ?? implied;
  if (spoken === undefined)
    return { protocol: undefined, sni: undefined, alpn: undefined, httpHost: undefined };
  return { protocol: spoken, sni: sni ?? null, alpn: alpnOrNone ?? null, httpHost: httpHost ?? null };
}
