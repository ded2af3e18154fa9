/** The events of a running proxy, as they come. */
import { request } from 'node:http';
import { EventParser, type StreamedEvent } from '../../src/cli/operate/event-stream.ts';
import { eventually } from './eventually.ts';
import type { Sluice } from './sluice.ts';

export interface Listening {
  readonly seen: readonly StreamedEvent[];
  /** The first that the claim holds for, past or to come. */
  told(claim: (event: StreamedEvent) => boolean): Promise<StreamedEvent>;
  leave(): void;
}

/** Fulfils once the proxy tells of what happens. */
export async function listen({ adminPort }: Sluice, query = ''): Promise<Listening> {
  const seen: StreamedEvent[] = [];
  const parser = new EventParser();
  const asked = request({ host: '127.0.0.1', port: adminPort, path: `/api/v1/events${query}`, agent: false });
  asked.on('error', () => {}).end();
  await new Promise((resolve, reject) => {
    asked.on('error', reject).on('response', (response) => {
      response.on('error', () => {}).on('data', (bytes: Buffer) => seen.push(...parser.push(bytes)));
      resolve(undefined);
    });
  });
  return {
    seen,
    told: (claim) =>
      eventually(() => {
        const found = seen.find(claim);
        if (found === undefined) throw new Error(`Not told, only ${JSON.stringify(seen)}`);
        return found;
      }),
    leave: () => asked.destroy(),
  };
}
