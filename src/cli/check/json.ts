/** A checked configuration as JSON, with every default filled in. */
import { ownCertificates } from '../../config/certificates.ts';
import { shown } from '../../config/shown.ts';
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
