/** The schema of TLS, towards clients and towards backends. */
import Type from 'typebox';
import { defaultListenerTls } from '../defaults.ts';
import { duration, expects, flag, mapping, oneOf, text } from './terms.ts';

/** `writeOnly`: who writes a key's text where its path belongs must not see it shown. */
const pemFile = (description: string, example: string, isOfKey = false) =>
  text('the path of a PEM file', {
    ...(isOfKey && { writeOnly: true }),
    description: `${description} A PEM file, relative to this file.`,
    examples: [example],
  });

export const listenerTls = mapping(
  {
    certificates: Type.Array(
      mapping(
        {
          cert: pemFile('The certificate, and those between it and its authority.', 'certs/a.pem'),
          key: pemFile('Its private key.', 'certs/a.key', true),
        },
        'A certificate with its key.',
      ),
      {
        minItems: 1,
        description: 'Chosen by the name that a client asks for; the first where none fits.',
        [expects]: 'a list of at least one mapping with "cert" and "key"',
      },
    ),
    minVersion: Type.Optional(
      oneOf(['TLSv1.2', 'TLSv1.3'], {
        description: 'The oldest version that is spoken.',
        default: defaultListenerTls.minVersion,
      }),
    ),
    alpn: Type.Optional(
      Type.Array(text('a protocol name such as "h2"', { maxLength: 255, description: 'A protocol.' }), {
        description: 'Protocols to agree on, the preferred one first.',
        examples: [['h2', 'http/1.1']],
        [expects]: 'a list of protocol names such as [h2, http/1.1]',
      }),
    ),
    clientAuth: Type.Optional(
      oneOf(['off', 'optional', 'required'], {
        description:
          'Whether clients are asked for a certificate; one that is shown must be signed by clientCa.',
        default: defaultListenerTls.clientAuth,
      }),
    ),
    clientCa: Type.Optional(pemFile('Who may have signed certificates of clients.', 'certs/clients.pem')),
    handshakeTimeout: Type.Optional(
      duration('positive', {
        description: 'How long a handshake may take.',
        default: defaultListenerTls.handshakeTimeoutMs,
      }),
    ),
  },
  'Terminates TLS: backends and routes see what is inside.',
);

const backendTlsKeys = {
  servername: Type.Optional(
    text('a server name', {
      pattern: '^[A-Za-z0-9._-]+$',
      description: "The name to ask for and to verify; defaults to the backend's.",
      examples: ['app.internal'],
    }),
  ),
  ca: Type.Optional(pemFile('Authorities to trust; defaults to the well-known ones.', 'certs/ca.pem')),
  verify: Type.Optional(
    flag({ description: 'Whether the certificate must be valid and for the name.', default: true }),
  ),
  cert: Type.Optional(pemFile('What the proxy shows of itself.', 'certs/proxy.pem')),
  key: Type.Optional(pemFile('The private key of cert.', 'certs/proxy.key', true)),
};

export const backendTls = Type.Union([Type.Enum(['off']), mapping(backendTlsKeys, 'How.')], {
  description: 'Speaks TLS to the backends. `{}` verifies them by the names they have here.',
  default: 'off',
  examples: ['off', { servername: 'app.internal', ca: 'certs/ca.pem' }],
  [expects]: '"off" or a mapping',
});

export const checkTls = Type.Union(
  [Type.Enum(['off']), mapping(backendTlsKeys, 'How. What is not given is as in connect.tls.')],
  {
    description:
      'Makes the check over TLS, or not. Defaults to connect.tls; at a port of the check itself, to TLS with the types tls and https alone.',
    examples: ['off', { servername: 'app.internal', ca: 'certs/ca.pem' }],
    [expects]: '"off" or a mapping',
  },
);
