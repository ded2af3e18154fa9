import { describe, expect, it } from 'vitest';
import { loadLibrary } from '../../../../src/drivers/tls/openssl/library.ts';
import { obstacleOf } from '../../../../src/drivers/tls/openssl/probe.ts';

describe('The probe of OpenSSL', () => {
  it('finds nothing in the way where handshakes with itself succeed', () => {
    expect(obstacleOf(loadLibrary)).toBeUndefined();
  });

  it('tells that koffi has nothing left that OpenSSL could call back', () => {
    const callback = (): never => {
      throw new Error('Too many callbacks are in use');
    };
    expect(obstacleOf(() => ({ ...loadLibrary(), callback }))).toBe(
      "its OpenSSL can't call back: Too many callbacks are in use",
    );
  });
});
