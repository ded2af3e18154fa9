/** PROXY protocol, from clients and to backends. */
import { compileAddressSet } from '../core/access/address-set.ts';
import type { ProxyProtocolPolicy, SentProxyProtocol } from '../core/plan.ts';
import { defaultProxyProtocolTimeoutMs } from './defaults.ts';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';
import { parseNetwork } from './networks.ts';
import type { AcceptedProxyProtocolInput, SentProxyProtocolInput } from './schema/schema.ts';
import { durationReader, parsedAt } from './values.ts';

export function readAcceptedProxyProtocol(
  document: ConfigDocument,
  path: Path,
  input: AcceptedProxyProtocolInput = 'off',
): ProxyProtocolPolicy | 'off' {
  if (input === 'off' || input.mode === 'off') return 'off';
  const { from = [] } = input;
  if (input.from === undefined) {
    document.problem(path, 'Missing key "from", the proxies whose headers are believed', 'key');
  }
  const networks = from.flatMap((text, index) => {
    if (text === 'unix') return [];
    const network = parsedAt(document, [...path, 'from', index], parseNetwork(text), undefined);
    return network === undefined ? [] : [network];
  });
  return {
    mode: input.mode,
    from: compileAddressSet(networks),
    fromUnix: from.includes('unix'),
    timeoutMs: durationReader(document, path, input)('timeout', defaultProxyProtocolTimeoutMs),
  };
}

export function readSentProxyProtocol(
  document: ConfigDocument,
  path: Path,
  input: SentProxyProtocolInput = 'off',
): SentProxyProtocol | 'off' {
  const { version, include = [] } = typeof input === 'string' ? { version: input } : input;
  if (version === 'off') return 'off';
  if (version === 'v1' && include.length > 0) {
    document.problem([...path, 'include'], 'Key "include" goes with version "v2", found version "v1"', 'key');
  }
  return { version, include };
}
