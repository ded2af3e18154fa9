import { describe, expect, it } from 'vitest';
import { dialFailures, reasons } from '../../src/core/reasons.ts';

describe('The reasons', () => {
  it('are those that users were promised, each once', () => {
    expect([...reasons].sort()).toEqual(
      [
        'finished client-reset backend-reset idle-timeout half-closed-timeout lifetime-exceeded drain-timeout',
        'backend-down operator',
        'denied listener-full client-full rate-limited no-route bad-proxy-header inspect-timeout tls-failed',
        'overloaded',
        'no-backend pool-full queue-full queue-timeout connect-refused connect-timeout connect-failed client-left',
      ]
        .join(' ')
        .split(' ')
        .sort(),
    );
  });

  it('have every dial failure among them', () => {
    expect(reasons).toEqual(expect.arrayContaining([...dialFailures]));
  });
});
