/**
 * Keep-alive requests at a rate that does not depend on the answers (an open loop), so that a slow answer
 * delays no later request out of the record. Every millisecond or so, what is due is sent, each on a
 * connection that waits for no answer; where all wait, a request queues here and its latency counts from the
 * moment it was due. (autocannon's own rate sends each second's requests in one burst at its beginning.)
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { clientTls } from './client-tls.ts';
import { Latencies } from './latencies.ts';

export interface PacedRequestsJob {
  readonly port: number;
  readonly tls: boolean;
  readonly connections: number;
  readonly perSecond: number;
}

const request = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const answerEnds = '\r\n\r\nHello, world\n';

export class PacedRequests {
  /** Of those answered so far; who measures a window begins a new one. */
  latencies = new Latencies();
  /** Connections that did not stay open. */
  errors = 0;
  /** Each sends on one idle connection; what it is given is when its latency began. */
  readonly #idle: ((sinceMs: number) => void)[] = [];
  /** When each request was due that no connection was idle for. */
  readonly #queued: number[] = [];
  readonly #ticker: NodeJS.Timeout;

  constructor(job: PacedRequestsJob) {
    for (let opened = 0; opened < job.connections; opened++) this.#open(job);
    const startMs = performance.now();
    let sent = 0;
    this.#ticker = setInterval(() => {
      const nowMs = performance.now();
      for (const due = ((nowMs - startMs) * job.perSecond) / 1000; sent < due; sent++) {
        const send = this.#idle.pop();
        if (send === undefined) this.#queued.push(nowMs);
        else send(nowMs);
      }
    }, 1);
  }

  stop(): void {
    clearInterval(this.#ticker);
  }

  #open({ port, tls }: PacedRequestsJob): void {
    const to = { port, host: '127.0.0.1', noDelay: true };
    const opened = (): void => void this.#idle.push(send);
    const socket: Socket = tls ? connectTls({ ...to, ...clientTls }, opened) : connect(to, opened);
    let sinceMs = 0;
    const send = (dueMs: number): void => {
      sinceMs = dueMs;
      socket.write(request);
    };
    socket.on('data', (chunk) => {
      if (!chunk.includes(answerEnds)) return;
      this.latencies.record((performance.now() - sinceMs) * 1000);
      const next = this.#queued.shift();
      if (next === undefined) this.#idle.push(send);
      else send(next);
    });
    socket.on('close', () => {
      this.errors++;
    });
    socket.on('error', () => {});
  }
}
