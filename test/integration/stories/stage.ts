/** What a story asks once something has gone wrong: what log, metrics and status say, and of whom. */
import { ending } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import type { BackendStatus, LogLine } from '../../support/sluice.ts';
import type { Proxied, Scene } from '../scene.ts';

/** So many clients, one after the other, each of which says that it has nothing to say. */
export async function visits(scene: Scene, { port }: Proxied, count: number): Promise<void> {
  for (let visit = 0; visit < count; visit++) {
    const client = scene.client(port);
    client.end('.');
    await ending(client);
  }
}

/** The first line with this message about the proxy's listener, its pool, or a backend in it. */
export function lineOf(proxy: Proxied, msg: string, fields: LogLine = {}): Promise<LogLine> {
  const isOfIt = (line: LogLine): boolean =>
    line['listener'] === proxy.listener || line['pool'] === proxy.pool || `${line['pools']}` === proxy.pool;
  const hasFields = (line: LogLine): boolean =>
    Object.entries(fields).every(([name, value]) => line[name] === value);
  return proxy.sluice.logged((line) => line.msg === msg && isOfIt(line) && hasFields(line));
}

/** The value of a backend's series now. */
export function backendMetric(
  { sluice, pool }: Proxied,
  name: string,
  { backend, more = '' }: { readonly backend: string; readonly more?: string },
): Promise<number> {
  return sluice.metric(`sluice_backend_${name}{pool="${pool}",backend="${backend}"${more}}`);
}

/** What status says of a backend, once the claim holds. */
export function backendOnce(
  proxy: Proxied,
  address: string,
  claim: (backend: BackendStatus) => boolean,
): Promise<BackendStatus> {
  return eventually(async () => {
    const backend = (await proxy.backends()).find((one) => one.address === address);
    if (backend === undefined || !claim(backend)) throw new Error(`Not yet: ${JSON.stringify(backend)}`);
    return backend;
  });
}
