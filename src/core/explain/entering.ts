/**
 * Whether a client that was described is let in, and as whom: the gates of admission up to where it speaks, on
 * a ledger that nobody else has.
 */
import { isDenied } from '../access/access-policy.ts';
import { mayAnnounce } from '../admission/proxy-header.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { admit, ListenerPermit, noAddress } from '../limits.ts';
import { Endpoint } from '../net/endpoint.ts';
import type { ListenerPlan, ProxyProtocolPolicy } from '../plan.ts';
import type { Reason } from '../reasons.ts';
import type { ProxyParseResult } from '../wire/proxy-header.ts';
import { ProxyHeaderParser } from '../wire/proxy-reading.ts';
import { accessOf } from './access.ts';
import {
  type Explanation,
  type Inquiry,
  limitOf,
  type ProxyHeaderVerdict,
  type Wait,
} from './explanation.ts';

export interface Entering {
  /** Whom the proxy takes it for. */
  readonly client: Endpoint;
  readonly refusal: Reason | undefined;
  readonly waits: readonly Wait[];
  /** What it says behind a header. */
  readonly payload: Uint8Array;
  /** How far it came, in the words of the explanation. */
  readonly said: Pick<Explanation, 'client' | 'proxyHeader' | 'access'>;
}

export function enter(listener: ListenerPlan, ledger: Ledger, inquiry: Inquiry, nowMs: number): Entering {
  const { slot, policy } = listener;
  const peer = peerOf(inquiry);
  const { proxyProtocol } = policy;
  const believed = proxyProtocol !== 'off' && mayAnnounce(policy, peer);
  const header = believed ? readHeader(proxyProtocol, inquiry) : noHeader(listener, inquiry);
  const { client } = header;

  // Who has sent a header is judged by the lists once it is read, everybody else before anything.
  const { isAnnounced } = header;
  const denied = isDenied(policy.access, client, isAnnounced) ? 'denied' : undefined;
  const early = believed ? undefined : (denied ?? header.refusal);
  const entry = early ?? admit(ledger, slot, policy.limits, nowMs);
  const late = believed ? (header.refusal ?? denied) : undefined;
  // Nobody is announced to a listener that takes nobody in.
  const met = entry instanceof ListenerPermit ? client : peer;
  const usage = usageOf(listener, ledger, met);
  const refusal =
    entry instanceof ListenerPermit
      ? (late ?? entry.admitClient(policy.limits.perClient, client, nowMs))
      : entry;
  const isJudged = !believed || (entry instanceof ListenerPermit && header.refusal === undefined);
  return {
    client: met,
    refusal,
    waits: entry instanceof ListenerPermit ? header.waits : [],
    payload: header.payload,
    said: {
      client: {
        address: met.address,
        announcedBy: isAnnounced && met === client ? inquiry.client.address : null,
        ...usage,
      },
      proxyHeader: believed && !(entry instanceof ListenerPermit) ? 'not-reached' : header.verdict,
      access: isJudged ? accessOf(policy.access, client, isAnnounced) : 'not-reached',
    },
  };
}

interface HeaderReading {
  readonly client: Endpoint;
  readonly isAnnounced: boolean;
  readonly verdict: ProxyHeaderVerdict;
  readonly waits: readonly Wait[];
  readonly payload: Uint8Array;
  readonly refusal: 'bad-proxy-header' | undefined;
}

function noHeader({ policy: { proxyProtocol } }: ListenerPlan, inquiry: Inquiry): HeaderReading {
  const { bytes } = inquiry;
  const isRequired = proxyProtocol !== 'off' && proxyProtocol.mode === 'required';
  return {
    client: peerOf(inquiry),
    isAnnounced: false,
    verdict: proxyProtocol === 'off' ? 'off' : 'not-believed',
    waits: [],
    payload: bytes ?? noBytes,
    refusal: isRequired ? 'bad-proxy-header' : undefined,
  };
}

function readHeader({ mode, timeoutMs }: ProxyProtocolPolicy, inquiry: Inquiry): HeaderReading {
  const { bytes = noBytes } = inquiry;
  const parser = new ProxyHeaderParser();
  const found = parser.read(bytes);
  // What it is said to speak is no header, though its bytes were not given.
  const isPending = found.state === 'incomplete' && (bytes.length > 0 || isSilent(inquiry));
  const announced =
    found.state === 'complete' && found.header.source === 'proxied' ? found.header.client : undefined;
  const isRefused =
    found.state === 'broken' || (found.state !== 'complete' && (mode === 'required' || parser.begun));
  return {
    client: announced === undefined ? peerOf(inquiry) : endpointOf(announced),
    isAnnounced: announced !== undefined,
    verdict: verdictOn(found, bytes),
    waits: isPending ? [{ for: 'proxy-header', upToMs: timeoutMs }] : [],
    payload: found.state === 'complete' ? bytes.subarray(found.length) : bytes,
    refusal: isRefused ? 'bad-proxy-header' : undefined,
  };
}

function verdictOn(found: ProxyParseResult, bytes: Uint8Array): ProxyHeaderVerdict {
  switch (found.state) {
    case 'complete':
      return found.header.source === 'proxied' ? 'announces' : 'own';
    case 'incomplete':
      return bytes.length > 0 ? 'incomplete' : 'absent';
    case 'mismatch':
      return 'absent';
    case 'broken':
      return 'broken';
  }
}

/** Nothing is known of what it says. */
export function isSilent({ sni, alpn, httpHost, protocol, bytes }: Inquiry): boolean {
  const isTold = [sni, alpn, httpHost, protocol].some((fact) => fact !== undefined);
  return !isTold && (bytes === undefined || bytes.length === 0);
}

/** Connections of this client, where the listener counts them; before it is let in. */
function usageOf({ slot, policy }: ListenerPlan, ledger: Ledger, client: Endpoint) {
  const { maxConnections, ipv6Prefix } = policy.limits.perClient;
  if (maxConnections === Number.POSITIVE_INFINITY) return {};
  const place = ledger.clients.find(slot, client.network(ipv6Prefix).words ?? noAddress);
  const active = place === undefined ? 0 : ledger.clients.active.total(place);
  return { active, maxConnections: limitOf(maxConnections) };
}

const noBytes = new Uint8Array(0);

function peerOf({ client }: Inquiry): Endpoint {
  return endpointOf(client);
}

function endpointOf({ address, port }: { readonly address: string; readonly port: number }): Endpoint {
  return Endpoint.parse(address, port) ?? Endpoint.unix;
}
