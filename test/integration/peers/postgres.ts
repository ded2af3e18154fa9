/** PostgreSQL with a cluster of its own, which anybody on this machine may enter. */
import { freePorts } from '../../../bench/stage/free-ports.ts';
import type { TestCertificate } from '../../support/certificate.ts';
import { installed, modestUser } from '../../support/programs.ts';
import { Peer } from './peer.ts';

export interface Postgres {
  readonly port: number;
  stop(): Promise<void>;
}

/** It refuses to be root. */
export const canRunPostgres = installed('postgres', 'initdb', 'psql') && modestUser !== undefined;

/** Speaks TLS to those who ask for it, where it is given a certificate. */
export async function startPostgres(certificate?: TestCertificate): Promise<Postgres> {
  const peer = new Peer(modestUser?.ids);
  const cluster = peer.path('cluster');
  await peer.prepare('initdb', ['-D', cluster, '-U', 'tester', '--auth=trust', '--no-sync', '--locale=C']);
  const [port = 0] = await freePorts(1);
  const settings = {
    ...{ port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' },
    ...(certificate !== undefined && {
      ssl: 'on',
      ssl_cert_file: peer.file('server.pem', certificate.cert),
      ssl_key_file: peer.file('server.key', certificate.key),
    }),
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  await peer.start('postgres', ['-D', cluster, ...flags], [port]);
  // SIGINT has it end its sessions and its processes.
  return { port, stop: () => peer.stop('SIGINT') };
}
