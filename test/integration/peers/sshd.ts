/** OpenSSH's server for one user with one key. */
import { readFileSync } from 'node:fs';
import { freePorts } from '../../../bench/stage/free-ports.ts';
import { installed, modestUser, pathOf } from '../../support/programs.ts';
import { Peer } from './peer.ts';

export interface Sshd {
  readonly port: number;
  /** The server's public key, as `ssh-keyscan` writes it: type and text. */
  readonly hostKey: string;
  /** What `ssh` wants to know to log in at a port of this machine. */
  login(port: number): readonly string[];
  stop(): Promise<void>;
}

export const canRunSshd = installed('sshd', 'ssh', 'ssh-keygen') && modestUser !== undefined;

export async function startSshd(): Promise<Sshd> {
  // As root it would want a folder of the system's, and to be able to become anybody.
  const peer = new Peer(modestUser?.ids);
  const client = new Peer();
  const host = await newKey(peer);
  const user = await newKey(client);
  const [port = 0] = await freePorts(1);
  const config = peer.file(
    'config',
    `\
Port ${port}
ListenAddress 127.0.0.1
HostKey ${host.path}
AuthorizedKeysFile ${peer.file('authorized', `${user.publicKey}\n`)}
AuthenticationMethods publickey
StrictModes no
UsePAM no
PidFile none
`,
  );
  await peer.start(pathOf('sshd') ?? 'sshd', ['-D', '-e', '-f', config], [port]);
  const known = client.file('known', `* ${host.publicKey}\n`);
  const options = {
    ...{ UserKnownHostsFile: known, GlobalKnownHostsFile: 'none', StrictHostKeyChecking: 'yes' },
    ...{ BatchMode: 'yes', IdentitiesOnly: 'yes', IdentityFile: user.path },
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return {
    port,
    hostKey: host.publicKey.split(' ').slice(0, 2).join(' '),
    login: (at) => ['-F', 'none', ...flags, '-p', `${at}`, `${modestUser?.name}@127.0.0.1`],
    stop: async () => {
      await peer.stop();
      await client.stop();
    },
  };
}

async function newKey(owner: Peer): Promise<{ readonly path: string; readonly publicKey: string }> {
  const path = owner.path('key');
  await owner.prepare('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  return { path, publicKey: readFileSync(`${path}.pub`, 'utf8').trim() };
}
