/** Where the admin API of a running proxy listens, and the token that it wants. */
import { type AdminBind, adminBindIn } from '../config/admin-bind.ts';
import { configText } from '../config/load.ts';
import { defaultAdminBind } from '../config/options/admin.ts';
import type { Address } from '../core/contract.ts';
import { UsageError } from './command.ts';
import { usualFile } from './config-file.ts';
import { adminAddressIn } from './ports.ts';

export interface AdminAddress {
  readonly address: Address;
  /** Why it is only a guess. */
  readonly guess?: string;
  /** The one of the configuration that says where. */
  readonly token?: string | undefined;
}

export interface AdminArguments {
  /** What `--admin` says. */
  readonly admin?: string | undefined;
  /** The configuration that was named, if one was. */
  readonly file?: string | undefined;
}

/**
 * As `--admin` says, else the configuration that was named, else SLUICE_ADMIN, else the first of the usual files.
 * Nothing else of a file matters: what is wrong with it does not make a proxy sick that runs. Throws a UsageError.
 */
export async function adminAddress({ admin, file }: AdminArguments): Promise<AdminAddress> {
  if (admin !== undefined) {
    const found = file === undefined ? undefined : await bindIn(file);
    return { address: adminAddressIn(admin), token: found?.kind === 'at' ? found.token : undefined };
  }
  if (file !== undefined) return adminIn(file);
  const asked = process.env['SLUICE_ADMIN'];
  if (asked) return { address: adminAddressIn(asked, 'SLUICE_ADMIN') };
  const usual = usualFile();
  if (usual !== undefined) return adminIn(usual);
  return { address: defaultAdminBind, guess: 'no configuration was found that says where' };
}

async function adminIn(file: string): Promise<AdminAddress> {
  const found = await bindIn(file);
  switch (found.kind) {
    case 'at':
      return found;
    case 'off':
      throw new UsageError(
        `Expected an admin section in ${file}, found none; add "admin: {}", or name --admin`,
      );
    case 'unknown':
      return { address: defaultAdminBind, guess: `${file} does not tell admin.bind` };
  }
}

function bindIn(file: string): Promise<AdminBind> {
  return configText(file).then(
    (text) => adminBindIn(text, process.env),
    () => ({ kind: 'unknown' }),
  );
}

/** How to connect there. A wildcard is no address to connect to; this machine's loopback is behind it. */
export function connectionTo(address: Address): { socketPath: string } | { host: string; port: number } {
  if ('path' in address) return { socketPath: address.path };
  const { host, port } = address;
  return { host: loopbackBehind[host] ?? host, port };
}

/** The wildcard of IPv6 is that of IPv4 too, and in a container without IPv6 it is nothing else. */
const loopbackBehind: Readonly<Record<string, string>> = { '::': '127.0.0.1', '0.0.0.0': '127.0.0.1' };
