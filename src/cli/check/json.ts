/** A checked configuration as JSON, with every default filled in. */
import { ownCertificates } from '../../config/certificates.ts';
import { secrets } from '../../config/options/config.ts';
import type { Checked } from './checked.ts';

export function asJson({ config, driver, serving }: Checked): string {
  const certificates = ownCertificates(config).map(({ of, name, notAfterMs }) => ({
    ...of,
    name,
    expires: new Date(notAfterMs).toISOString(),
  }));
  const seen = {
    ...config,
    listeners: config.listeners.map((listener) => {
      const { driver = null, workers = null } = serving.get(listener.name) ?? {};
      return { ...listener, driver, workers };
    }),
    driver: driver.module?.name ?? null,
    driverReason: driver.why,
    certificates,
  };
  return `${JSON.stringify(seen, shown, 2)}\n`;
}

/**
 * A value for JSON.stringify. JSON has no Infinity: it is written as in the configuration file. Secrets are nobody's
 * business, and the words of a compiled list tell nobody anything.
 */
function shown(key: string, value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return 'unlimited';
  if (ArrayBuffer.isView(value)) return undefined;
  return secrets.keys.has(key) && value !== undefined ? '(hidden)' : value;
}
