/** Why a handshake failed, in OpenSSL's words where there are any. */
export function tlsReason(error: Error & { readonly reason?: unknown; readonly code?: unknown }): string {
  const { reason, code, message } = error;
  return [reason, code].find((word) => typeof word === 'string') ?? message;
}
