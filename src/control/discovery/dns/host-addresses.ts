import type { Provider } from '../provider.ts';
import { readable } from './failure.ts';

/**
 * The addresses of a host, by its A and AAAA records. Targets with other ports share the answer: the port is theirs.
 */
export const hostAddresses: Provider<'name'> =
  ({ name }, { questions }) =>
  async (previous = []) => {
    const known = previous.flatMap(({ address }) => ('host' in address ? [address.host] : []));
    try {
      const { value, ttlMs } = await questions.addresses(name, known);
      return { value: value.map((host) => ({ address: { host, port: 0 } })), ttlMs };
    } catch (error) {
      throw readable(error);
    }
  };
