import { describe, expect, it } from 'vitest';
import { readWrk } from '../../bench/programs/wrk-output.ts';

const printed = `Running 2s test @ http://127.0.0.1:8080/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    11.37ms   19.87ms 173.79ms   91.04%
    Req/Sec     4.46k     2.11k    9.81k    65.00%
  Latency Distribution
     50%    6.05ms
     75%    9.80ms
     90%   23.51ms
     99%    1.05s
  8812 requests in 2.03s, 1.22MB read
`;

describe('readWrk', () => {
  it('reads how many requests were answered, and how soon', () => {
    expect(readWrk(printed)).toEqual({ units: 8812, errors: 0, latencyUs: { p50: 6050, p99: 1.05e6 } });
  });

  it('reads latencies in microseconds', () => {
    expect(readWrk(printed.replace('6.05ms', '612.00us')).latencyUs?.p50).toBe(612);
  });

  it('counts what failed, of the connections and of the answers', () => {
    const failed = `${printed}  Socket errors: connect 1, read 20, write 300, timeout 0\n  Non-2xx or 3xx responses: 4000\n`;
    expect(readWrk(failed).errors).toBe(4321);
  });

  it('shows what was printed where that is something else', () => {
    expect(() => readWrk('unable to connect')).toThrow('unable to connect');
  });
});
