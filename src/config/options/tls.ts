/** TLS, towards clients and towards backends. */
import type { BackendTls, ListenerTls } from '../../core/plan.ts';
import { warnOfOverlaps } from '../certificate-overlaps.ts';
import type { Location } from '../location.ts';
import { readCertificates, readKeyPair } from '../pem.ts';
import { expects } from './json-schema.ts';
import { list, mapping, type Option, optional, orOff, type Values, withDefault } from './option.ts';
import { duration, flag, oneOf, text } from './terms.ts';

/** `writeOnly` keeps a key's text out of messages when it is written where its path belongs. */
function pemPath(description: string, example: string, isOfKey = false) {
  return text('the path of a PEM file', {
    ...(isOfKey && { writeOnly: true }),
    description: `${description} A PEM file, relative to this file.`,
    examples: [example],
  });
}

/** A file of certificates, which is read as their text. */
function pemCertificates(description: string, example: string): Option<string, string | undefined> {
  return { schema: pemPath(description, example).schema, default: undefined, read: readCertificates };
}

const certificate = mapping(
  'A certificate with its key.',
  {
    cert: pemPath('The certificate, and those between it and its authority.', 'certs/a.pem'),
    key: pemPath('Its private key.', 'certs/a.key', true),
  },
  (names, location) => {
    const pair = readKeyPair(names, location);
    return pair && { ...pair, name: names.cert, location: location.at('cert') };
  },
);

const listenerMapping = mapping(
  'Terminates TLS: backends and routes see what is inside.',
  {
    certificates: list(certificate, {
      minItems: 1,
      description: 'Chosen by the name that a client asks for; the first where none fits.',
      [expects]: 'a list of at least one mapping with "cert" and "key"',
    }),
    minVersion: oneOf(['TLSv1.2', 'TLSv1.3'], {
      description: 'The oldest version that is spoken.',
      default: 'TLSv1.2',
    }),
    alpn: withDefault(
      list(text('a protocol name such as "h2"', { maxLength: 255, description: 'A protocol.' }), {
        description: 'Protocols to agree on, the preferred one first.',
        examples: [['h2', 'http/1.1']],
        [expects]: 'a list of protocol names such as [h2, http/1.1]',
      }),
      [],
    ),
    clientAuth: oneOf(['off', 'optional', 'required'], {
      description:
        'Whether clients are asked for a certificate; one that is shown must be signed by clientCa.',
      default: 'off',
    }),
    clientCa: pemCertificates('Who may have signed certificates of clients.', 'certs/clients.pem'),
    handshakeTimeout: duration('positive', {
      description: 'How long a handshake may take.',
      default: 5_000,
    }),
  },
  ({ certificates, handshakeTimeout, ...rest }, location, { clientCa }): ListenerTls => {
    if (rest.clientAuth !== 'off' && clientCa === undefined) {
      location.at('clientAuth').problem('Missing key "clientCa", who may have signed clients’ certificates');
    }
    if (rest.clientAuth === 'off' && clientCa !== undefined) {
      location.at('clientCa').warn('Has no effect without clientAuth');
    }
    warnOfOverlaps(certificates);
    return {
      ...rest,
      certificates: certificates.map(({ cert, key }) => ({ cert, key })),
      handshakeTimeoutMs: handshakeTimeout,
    };
  },
  { example: '{ certificates: [{ cert: certs/a.pem, key: certs/a.key }] }' },
);

export const listenerTls = withDefault(listenerMapping, 'off' as const);

const backendKeys = {
  servername: optional(
    text('a server name', {
      pattern: '^[A-Za-z0-9._-]+$',
      description: "The name to ask for and to verify; defaults to the backend's.",
      examples: ['app.internal'],
    }),
  ),
  ca: pemCertificates('Authorities to trust; defaults to the well-known ones.', 'certs/ca.pem'),
  verify: flag({ description: 'Whether the certificate must be valid and for the name.', default: true }),
  cert: optional(pemPath('What the proxy shows of itself.', 'certs/proxy.pem')),
  key: optional(pemPath('The private key of cert.', 'certs/proxy.key', true)),
};

const backendMapping = mapping('How.', backendKeys, (values, location): BackendTls => {
  const { servername, verify, ca } = values;
  if (!verify) location.at('verify').warn('Whoever answers is taken for the backend');
  return { servername, verify, ca, ...ownKeyPair(values, location) };
});

export const backendTls = withDefault(
  orOff(backendMapping, '"off" or a mapping', {
    description: 'Speaks TLS to the backends. `{}` verifies them by the names they have here.',
    default: 'off',
    examples: ['off', { servername: 'app.internal', ca: 'certs/ca.pem' }],
  }),
  'off' as const,
);

const checkMapping = mapping(
  'How. What is not given is as in connect.tls.',
  { ...backendKeys, verify: optional(backendKeys.verify) },
  ({ servername, verify, ca, ...names }, location) => ({
    servername,
    verify,
    ca,
    ...ownKeyPair(names, location),
  }),
);

/** The TLS of a health check. What is undefined in it is taken from `connect.tls`. */
export const checkTls = optional(
  orOff(checkMapping, '"off" or a mapping', {
    description:
      'Makes the check over TLS, or not. Defaults to connect.tls; at a port of the check itself, to TLS with the types tls and https alone.',
    examples: ['off', { servername: 'app.internal', ca: 'certs/ca.pem' }],
  }),
);

/** The proxy's own certificate and key. */
function ownKeyPair(
  { cert, key }: Pick<Values<typeof backendKeys>, 'cert' | 'key'>,
  location: Location,
): Pick<BackendTls, 'cert' | 'key'> {
  if (cert !== undefined && key !== undefined) {
    return readKeyPair({ cert, key }, location) ?? { cert: undefined, key: undefined };
  }
  if (cert !== key) {
    const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    location.at(there).problem(`Missing key "${missing}", which belongs to it`, 'key');
  }
  return { cert: undefined, key: undefined };
}
