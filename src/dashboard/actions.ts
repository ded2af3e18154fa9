/** What an operator can do to backends: each asks first, and says what will happen. */
import { ask, pathOf } from './api.ts';
import { forAndWhy, forAndWhyIn, question, strong, untilChanged } from './dialog.ts';
import { type Child, type Element, h } from './dom.ts';
import { counted } from './format.ts';
import type { Backend, Override, Pool } from './model.ts';
import { button, choice, field, input, textIn } from './parts.ts';

function patch(pool: string, backend: string, body: object): Promise<Response> {
  return change(`pools/${pathOf(pool)}/backends/${pathOf(backend)}`, body);
}

export function change(path: string, body: object): Promise<Response> {
  return ask(path, { method: 'PATCH', body });
}

/** The one thing that is most often wanted: out of service, or back. */
export function drainAction(name: string, backend: Backend, pool: Pool): Element {
  const text = (word: string): Child => [word, h('span.unseen', ` ${backend.address}`)];
  const isOut = backend.layers !== null && backend.layers.operator !== 'ready';
  return isOut
    ? button(text('Ready'), () => askReady(name, backend), 'primary')
    : button(text('Drain'), () => askOut(name, backend, pool, 'drain'));
}

export function backendActions(name: string, backend: Backend, pool: Pool): Child {
  const { operator } = backend.layers ?? {};
  return [
    operator !== 'ready' && button('Ready', () => askReady(name, backend), 'primary'),
    operator !== 'drain' && button('Drain', () => askOut(name, backend, pool, 'drain')),
    operator !== 'maint' && button('Maintenance', () => askOut(name, backend, pool, 'maint')),
    button('Weight', () => askWeight(name, backend)),
    button('Limit', () => askLimit(name, backend)),
    backend.circuit === 'closed'
      ? button('Open circuit', () => askCircuit(name, backend, 'open'))
      : button('Close circuit', () => askCircuit(name, backend, 'closed')),
  ];
}

function askOut(name: string, backend: Backend, pool: Pool, state: 'drain' | 'maint'): void {
  const { address, active } = backend;
  const left = pool.backends.filter((one) => one.address !== address && one.unavailable === null).length;
  const isDrain = state === 'drain';
  question({
    title: `${isDrain ? 'Drain' : 'Maintenance of'} ${address}`,
    text: [
      [
        'It takes no new clients. ',
        isDrain
          ? 'Its health is still checked. '
          : 'Its health is not checked, and must pass before it takes clients again. ',
        strong(
          left === 0
            ? `No other backend of ${name} takes clients: new ones will be refused, or wait where there is a queue.`
            : `${counted(left, 'backend')} of ${name} ${left === 1 ? 'is' : 'are'} left.`,
        ),
      ],
      active === 0 ? 'It has no open connection now.' : `It has ${counted(active, 'open connection')} now.`,
    ],
    fields: [
      choice('Open connections', 'sessions', [
        ['keep', 'go on until they end'],
        ['1m', 'are closed over one minute'],
        ['10m', 'are closed over ten minutes'],
        ['close', 'are closed at once'],
      ]),
      forAndWhy(untilChanged),
    ],
    confirm: isDrain ? 'Drain' : 'Put in maintenance',
    isDangerous: left === 0,
    done: `${address} takes no new clients`,
    run(data) {
      return patch(name, address, { state, sessions: sessionsIn(data), ...forAndWhyIn(data) });
    },
  });
}

/** What becomes of open ones: a time is that over which they are closed. */
export function sessionsIn(data: FormData): string | { readonly over: string } {
  const sessions = textIn(data, 'sessions') ?? 'keep';
  return sessions === 'keep' || sessions === 'close' ? sessions : { over: sessions };
}

function askReady(name: string, { address, layers }: Backend): void {
  const { configuration, source } = layers ?? {};
  const others = [
    ...(configuration === 'ready' ? [] : ['the configuration']),
    ...(source === 'ready' ? [] : ['its source']),
  ];
  question({
    title: `Make ${address} ready`,
    text:
      others.length === 0
        ? 'What was changed by hand ends, and it takes clients again as soon as its health check and breaker let it.'
        : `What was changed by hand ends. It stays out of service still, for ${others.join(' and ')} wants that.`,
    confirm: 'Make ready',
    done: `${address} is ready`,
    run: () => patch(name, address, { state: null }),
  });
}

function askWeight(name: string, { address, weight }: Backend): void {
  question({
    title: `Weight of ${address}`,
    text: 'With twice the weight it gets twice the clients. 0 drains it.',
    fields: [
      field(
        'Weight',
        input('weight', {
          initial: String(Number(weight.toFixed(3))),
          required: true,
          pattern: '\\d{1,7}|\\d{1,4}(\\.\\d{1,3})?%',
          title: 'A whole number, or a share such as 50%',
        }),
        'A whole number, or a share of the configured weight such as 50%',
      ),
      forAndWhy(untilChanged),
    ],
    confirm: 'Set weight',
    done: `${address} has another weight`,
    run(data) {
      const text = textIn(data, 'weight') ?? '';
      return patch(name, address, { weight: text.endsWith('%') ? text : Number(text), ...forAndWhyIn(data) });
    },
  });
}

function askLimit(name: string, { address, limit, active }: Backend): void {
  question({
    title: `Connections of ${address}`,
    text: `It has ${counted(active, 'connection')} now. A lower limit closes none of them.`,
    fields: [
      field(
        'At most',
        input('limit', {
          initial: String(limit),
          required: true,
          pattern: '[1-9]\\d{0,9}|unlimited',
          title: 'A whole number from 1 on, or unlimited',
        }),
        'A whole number, or unlimited',
      ),
      forAndWhy(untilChanged),
    ],
    confirm: 'Set limit',
    done: `${address} has another limit`,
    run(data) {
      const text = textIn(data, 'limit') ?? '';
      const maxConnections = text === 'unlimited' ? text : Number(text);
      return patch(name, address, { maxConnections, ...forAndWhyIn(data) });
    },
  });
}

function askCircuit(name: string, { address }: Backend, to: 'open' | 'closed'): void {
  const isOpen = to === 'open';
  question({
    title: `${isOpen ? 'Open' : 'Close'} the circuit of ${address}`,
    text: isOpen
      ? 'It takes no new clients for that time. Then one of them tries it, and the breaker closes if that goes well.'
      : 'The breaker forgets what went wrong, and clients go to it again at once.',
    fields:
      isOpen &&
      choice(
        'For',
        'for',
        [
          ['30s', '30 seconds'],
          ['1m', '1 minute'],
          ['5m', '5 minutes'],
          ['1h', '1 hour'],
        ],
        '1m',
      ),
    confirm: isOpen ? 'Open circuit' : 'Close circuit',
    done: `The circuit of ${address} is ${to}`,
    run: (data) =>
      ask(`pools/${pathOf(name)}/backends/${pathOf(address)}/circuit`, {
        method: 'POST',
        body: { to, ...(isOpen && { for: textIn(data, 'for') }) },
      }),
  });
}

export function undoAction({ listener, pool = '', backend, field: what }: Override): Element {
  const name = listener ?? backend ?? pool;
  const path = listener === undefined ? `pools/${pathOf(pool)}` : `listeners/${pathOf(listener)}`;
  return button(['Undo', h('span.unseen', ` ${what} of ${name}`)], () =>
    question({
      title: `Undo ${what} of ${name}`,
      text: 'What the configuration says holds again.',
      confirm: 'Undo',
      done: `${what} of ${name} is as configured`,
      run: () =>
        change(backend === undefined ? path : `${path}/backends/${pathOf(backend)}`, { [what]: null }),
    }),
  );
}
