import { describe, expect, it, onTestFinished } from 'vitest';
import { Questions, unstatedTtlMs } from '../../../../src/control/discovery/dns/questions.ts';
import { startDnsServer } from '../../../support/dns-server.ts';

/** The system's resolver takes this for 127.0.0.1, as inet_aton(3) does; to DNS it is a name that does not exist. */
const systemOnly = '127.1';

async function asking(servers: 'own' | 'system') {
  const server = await startDnsServer({ 'app.test': [{ type: 'A', address: '10.0.0.1', ttl: 7 }] });
  onTestFinished(() => server.close());
  const questions = new Questions({ servers: servers === 'own' ? [server.address] : [], timeoutMs: 500 });
  onTestFinished(() => questions.close());
  return { server, questions };
}

describe('Questions', () => {
  it('tells how long an answer holds', async () => {
    const { questions } = await asking('own');
    expect(await questions.addresses('app.test')).toEqual({ value: ['10.0.0.1'], ttlMs: 7_000 });
    expect(await questions.addresses('localhost')).toMatchObject({ ttlMs: unstatedTtlMs });
  });

  it('asks nothing twice at once', async () => {
    const { questions, server } = await asking('own');
    await Promise.all([questions.addresses('app.test'), questions.addresses('app.test')]);
    expect(server.questions.toSorted()).toEqual(['A app.test', 'AAAA app.test']);
    await questions.addresses('app.test');
    expect(server.questions).toHaveLength(4);
  });

  it('asks the system for what name servers do not know', async () => {
    const { questions } = await asking('system');
    expect(await questions.addresses(systemOnly)).toEqual({ value: ['127.0.0.1'], ttlMs: unstatedTtlMs });
  });

  it('keeps to the name servers that are configured', async () => {
    const { questions } = await asking('own');
    await expect(questions.addresses(systemOnly)).rejects.toThrow('ENOTFOUND');
  });
});
