/** What would become of a client, and why: asked of the running proxy, which sends nothing for it. */
import { json, problemText } from './api.ts';
import { type Child, type Element, h } from './dom.ts';
import { counted } from './format.ts';
import type { Status } from './model.ts';
import { badge, choice, field, form, heading, input, table, textIn } from './parts.ts';
import { hrefOf, type Place } from './route.ts';
import { changed } from './store.ts';
import type { Level } from './why.ts';

interface Explanation {
  readonly listener: { readonly name: string };
  readonly client: { readonly address: string; readonly announcedBy: string | null };
  readonly proxyHeader: string;
  readonly access:
    | { readonly verdict: string; readonly by: string; readonly network: string | null }
    | 'not-reached';
  readonly waits: readonly { readonly for: string; readonly upToMs: number }[];
  readonly routes: readonly {
    readonly to: { readonly pool?: string; readonly split?: object; readonly next?: string };
    readonly verdict: string;
    readonly condition?: string;
    readonly wanted?: readonly string[];
    readonly seen?: readonly string[];
    readonly missing?: readonly string[];
  }[];
  readonly fallback: { readonly pool: string | null; readonly verdict: string };
  readonly pool: {
    readonly name: string;
    readonly balance: string;
    readonly ignoresHealth: boolean;
    readonly backends: readonly {
      readonly address: string;
      readonly weight: number;
      readonly unavailable: string | null;
      readonly candidate: boolean;
      readonly backup: boolean;
      readonly active: number;
    }[];
  } | null;
  readonly outcome:
    | {
        readonly kind: 'dial';
        readonly backend: string;
        readonly certainty: string;
        readonly possible: readonly string[];
      }
    | { readonly kind: 'queue'; readonly ahead: number; readonly timeoutMs: number | 'unlimited' }
    | { readonly kind: 'refuse'; readonly reason: string; readonly with: string };
}

let found: Explanation | undefined;
let problem = '';

export function explainView({ listeners }: Status, { query }: Place): Child {
  return [
    heading(
      'What would become of a client?',
      'Asked of the proxy as it is now. Nothing is sent to anybody, and nothing changes.',
    ),
    form(
      { class: 'filters', submit: (data) => void ask(data) },
      choice(
        'Listener',
        'listener',
        Object.keys(listeners).map((name) => [name, name]),
        query.get('listener') ?? undefined,
      ),
      field('Client address', input('client', { initial: '127.0.0.1', required: true, size: 16 })),
      field('TLS server name (SNI)', input('sni', { placeholder: 'none' })),
      field('HTTP host', input('host', { placeholder: 'none' })),
      field('ALPN', input('alpn', { placeholder: 'h2, http/1.1', size: 12 })),
      choice('Protocol', 'protocol', [['', 'automatic'], ...protocols.map((one) => [one, one] as const)]),
      h('button.primary', 'Explain'),
    ),
    problem !== '' && h('p', { class: 'problem', role: 'alert' }, problem),
    found !== undefined && h('div', { class: 'stack', 'aria-live': 'polite' }, answer(found)),
  ];
}

const protocols = ['ssh', 'tls', 'http', 'postgres', 'redis', 'unknown'];

async function ask(data: FormData): Promise<void> {
  const names = ['listener', 'client', 'sni', 'host', 'protocol'];
  const given = names.flatMap((name) => {
    const text = textIn(data, name);
    return text === undefined ? [] : [[name, text]];
  });
  const alpn = textIn(data, 'alpn')?.split(/[\s,]+/);
  problem = '';
  try {
    const body = { ...Object.fromEntries(given), ...(alpn !== undefined && { alpn }) };
    found = await json<Explanation>('explain', { method: 'POST', body });
  } catch (error) {
    found = undefined;
    problem = problemText(error);
  }
  changed();
}

function answer(explanation: Explanation): Child {
  const { client, proxyHeader, access, waits, routes, fallback, pool } = explanation;
  const [level, word, text] = outcomeOf(explanation);
  const step = (term: string, ...said: Child[]): Element => h('li', h('strong', term), ' ', said);
  return [
    h('section', { class: `card trouble ${level}` }, h('p.verdict', badge(level, word)), h('p', text)),
    h('h2', 'Step by step'),
    h(
      'ol.steps',
      step('Client', client.address, client.announcedBy !== null && `, announced by ${client.announcedBy}`),
      proxyHeader !== 'off' && step('PROXY header', proxyHeader.replaceAll('-', ' ')),
      step('Access', access === 'not-reached' ? 'is not looked at' : accessText(access)),
      waits.map((one) =>
        step(
          'Waits',
          `for ${one.for.replaceAll('-', ' ')}, up to ${one.upToMs / 1_000} s, and nothing comes`,
        ),
      ),
      routes.map((route, at) =>
        step(
          `Route ${at + 1}`,
          `to ${route.to.pool ?? `${Object.keys(route.to.split ?? {}).join(', ')} (next: ${route.to.next})`}: `,
          route.verdict === 'fails'
            ? `does not match, for ${route.condition} is ${route.seen?.join(', ') || 'absent'} and not ${route.wanted?.join(' or ')}`
            : route.missing !== undefined
              ? `can't be told without ${route.missing.join(', ')}`
              : route.verdict.replaceAll('-', ' '),
        ),
      ),
      fallback.pool !== null &&
        step('Otherwise', `to ${fallback.pool}: ${fallback.verdict.replaceAll('-', ' ')}`),
    ),
    pool !== null && [
      h('h2', 'Backends of ', h('a', { href: hrefOf(['pools', pool.name]) }, pool.name)),
      pool.ignoresHealth && h('p.muted', 'So many are down that their health is ignored.'),
      table(
        `Backends of ${pool.name}`,
        [
          { head: 'Backend', kind: 'main' },
          { head: 'May be chosen' },
          { head: 'Weight', kind: 'number' },
          { head: 'Open', kind: 'number' },
        ],
        pool.backends.map((one) => ({
          key: one.address,
          cells: [
            h('a', { class: 'mono', href: hrefOf(['pools', pool.name, one.address]) }, one.address),
            one.candidate
              ? badge('good', 'Yes')
              : badge(
                  one.unavailable === null ? 'idle' : 'bad',
                  one.unavailable === null ? 'No: a backup' : `No: ${one.unavailable.replaceAll('-', ' ')}`,
                ),
            Number(one.weight.toFixed(3)),
            one.active,
          ],
        })),
      ),
    ],
  ];
}

function accessText({ verdict, by, network }: Exclude<Explanation['access'], 'not-reached'>): string {
  const words: Readonly<Record<string, string>> = {
    allow: `by ${network} on the allow list`,
    deny: `by ${network} on the deny list`,
    'no-list': 'no list says otherwise',
    'not-listed': 'it is not on the allow list',
    'not-denied': 'it is not on the deny list',
  };
  return `${verdict}: ${words[by] ?? by}`;
}

function outcomeOf({ outcome, pool }: Explanation): readonly [Level, string, Child] {
  switch (outcome.kind) {
    case 'dial':
      return [
        'good',
        'Is served',
        outcome.certainty === 'one-of-several'
          ? `By one of ${outcome.possible.join(', ')} in ${pool?.name}.`
          : `By ${outcome.backend} in ${pool?.name}${outcome.certainty === 'next-turn' ? ', whose turn is next' : ''}.`,
      ];
    case 'queue':
      return [
        'warn',
        'Waits',
        `In the queue of ${pool?.name}, behind ${counted(outcome.ahead, 'client')}, for at most ${outcome.timeoutMs === 'unlimited' ? 'ever' : `${outcome.timeoutMs / 1_000} s`}.`,
      ];
    case 'refuse':
      return [
        'bad',
        'Is refused',
        [`The reason is `, h('strong', outcome.reason), `. It sees a ${outcome.with}.`],
      ];
  }
}
