/** Listeners, the pools that they lead to, and what needs somebody's eye. */
import { type Child, type Element, h } from './dom.ts';
import { bytes, count, counted, rate, since as sinceText } from './format.ts';
import type { Listener, Pool, Status } from './model.ts';
import { badge, empty, heading, icon, overrideText, when } from './parts.ts';
import { listenerAction } from './pool-actions.ts';
import { hrefOf } from './route.ts';
import { spark } from './spark.ts';
import { type ConfiguredListener, mayOperate, rateOf, ratesOf, showHistory, store } from './store.ts';
import { standbyIn, takesClients, takingIn, type Verdict, verdictOf } from './why.ts';

const mostTroubled = 24;

export function overview(status: Status): Child {
  showHistory(undefined);
  const pools = Object.entries(status.pools);
  const listeners = Object.entries(status.listeners);
  const backends = pools.flatMap(([, pool]) => pool.backends);
  const out = pools.reduce((sum, [, pool]) => sum + pool.backends.length - takingIn(pool), 0);
  const troubled = pools.flatMap(([name, pool]) => troubleIn(name, pool));
  const headline =
    out === 0
      ? 'Every backend takes clients'
      : `${out} of ${counted(backends.length, 'backend')} ${out === 1 ? 'takes' : 'take'} no clients`;
  return [
    heading(
      [icon(out === 0 ? 'good' : out === backends.length ? 'bad' : 'warn'), headline],
      `${counted(listeners.length, 'listener')}, ${counted(pools.length, 'pool')}, ${counted(backends.length, 'backend')}`,
    ),
    figures(status),
    troubled.length > 0 &&
      h(
        'section',
        { 'aria-labelledby': 'trouble' },
        h('h2', { id: 'trouble' }, 'Backends without clients, and why'),
        h('ul.cards', troubled.slice(0, mostTroubled)),
        troubled.length > mostTroubled &&
          h('p.muted', `And ${count(troubled.length - mostTroubled)} more: see their pools.`),
      ),
    h(
      'section',
      { 'aria-labelledby': 'flow' },
      h('h2', { id: 'flow' }, 'Listeners and their pools'),
      listeners.length === 0
        ? empty('Nothing listens yet', 'The proxy is starting: names are resolved and addresses bound.')
        : h(
            'div',
            { class: 'flow', made: watchFlow },
            h('svg', { class: 'wires', 'aria-hidden': 'true' }, h('path')),
            h(
              'ul',
              { 'aria-label': 'Listeners' },
              listeners.map(([name, one]) => listenerCard(name, one)),
            ),
            h(
              'ul',
              { 'aria-label': 'Pools' },
              pools.map(([name, one]) => poolCard(name, one)),
            ),
          ),
    ),
  ];
}

function figures({ listeners, pools }: Status): Element {
  const all = Object.entries(listeners);
  const sum = (pick: (listener: Listener) => number): number =>
    all.reduce((total, [, one]) => total + pick(one), 0);
  const rates = all.map(([name]) => ratesOf((status) => status.listeners[name]));
  const total = (pick: (one: (typeof rates)[number]) => number): number =>
    rates.reduce((all, one) => all + pick(one), 0);
  const waiting = Object.values(pools).reduce((all, { queue }) => all + queue, 0);
  const series = all.flatMap(([name]) => store.series.get(`listener ${name}`) ?? []);
  const summed = (field: 'active' | 'connections' | 'failures' | 'bytes'): number[] => {
    const points = Math.max(0, ...series.map((one) => one[field].length));
    return Array.from({ length: points }, (_, back) =>
      series.reduce((all, one) => all + (one[field].at(back - points) ?? 0), 0),
    );
  };
  const refused = all.reduce((all, [name]) => all + refusals(name).reduce((sum, [, one]) => sum + one, 0), 0);
  const figure = (label: string, value: string, unit: string, picture: Child): Element =>
    h('div', h('dt', label), h('dd', h('strong', value), ` ${unit}`, picture));
  return h(
    'dl.figures',
    figure(
      'Open connections',
      count(sum(({ active }) => active)),
      waiting > 0 ? `${count(waiting)} wait` : '',
      spark('Open connections', summed('active')),
    ),
    figure(
      'New connections',
      rate(total(({ connections }) => connections)),
      'a second',
      spark('New connections a second', summed('connections')),
    ),
    figure(
      'Traffic',
      bytes(total(({ toBackend, toClient }) => toBackend + toClient)),
      'a second',
      spark('Bytes a second', summed('bytes')),
    ),
    figure(
      'Refused or failed',
      rate(refused),
      'a second',
      spark('Refused or failed a second', summed('failures')),
    ),
  );
}

/** Ends that clients do not like, a second, by reason. */
function refusals(listener: string): [reason: string, perSecond: number][] {
  const reasons = Object.keys(store.seen.at(-1)?.status.listeners[listener]?.closed ?? {});
  return reasons
    .filter((reason) => !served.has(reason))
    .map((reason): [string, number] => [
      reason,
      rateOf((status) =>
        status.listeners[listener] ? (status.listeners[listener].closed[reason] ?? 0) : undefined,
      ),
    ])
    .filter(([, perSecond]) => perSecond > 0);
}

const served = new Set([
  ...['finished', 'client-reset', 'client-left', 'idle-timeout', 'half-closed-timeout'],
  ...['lifetime-exceeded', 'operator', 'drain-timeout', 'backend-reset', 'backend-down'],
]);

function troubleIn(name: string, pool: Pool): Element[] {
  const isStandby = standbyIn(pool.backends);
  return pool.backends.flatMap((backend) => {
    if (takesClients(backend, pool)) return [];
    const mine = store.overrides.filter((one) => one.pool === name && one.backend === backend.address);
    const verdict = verdictOf(backend, pool, mine, backend.backup && isStandby);
    return [
      h(
        'li',
        { key: `${name} ${backend.address}`, class: `card trouble ${verdict.level}` },
        h(
          'a',
          { class: 'cover', href: hrefOf(['pools', name, backend.address]) },
          h('span.mono', backend.address),
          h('span.muted', ' in ', name),
        ),
        verdictText(verdict),
      ),
    ];
  });
}

export function verdictText({ level, word, why, remedy, since }: Verdict): Child {
  return [
    h('p.verdict', badge(level, word), h('span.muted', ' for ', when(since, sinceText(since)))),
    why !== '' && h('p', why),
    remedy !== undefined && remedy !== '' && h('p.muted', remedy),
  ];
}

function listenerCard(name: string, listener: Listener): Element {
  const rates = ratesOf((status) => status.listeners[name]);
  const bad = refusals(name);
  const bind = typeof listener.bind === 'string' ? [listener.bind] : listener.bind;
  return h(
    'li',
    { key: name, class: 'card', id: `listener ${name}` },
    h('h3', name),
    mayOperate() && h('div.corner', listenerAction(name, listener)),
    h('p.mono.muted', bind.join(', ') || 'bound nowhere: its last connections finish'),
    listener.accept !== 'on' &&
      badge('warn', listener.accept === 'paused' ? 'Paused: clients wait' : 'Off: accepts nobody'),
    store.overrides.filter((one) => one.listener === name).map((one) => h('p', overrideText(one))),
    numbers(listener.active, rates),
    bad.length > 0 &&
      h('p.bad', icon('bad'), bad.map(([reason, per]) => ` ${rate(per)}/s ${reason}`).join(',')),
    h('p.to', `to ${poolsOf(store.configuration?.listeners[name]).join(', ') || 'no pool'}`),
  );
}

function poolCard(name: string, pool: Pool): Element {
  const taking = takingIn(pool);
  const all = pool.backends.length;
  const level = taking === all && all > 0 ? 'good' : taking === 0 ? 'bad' : 'warn';
  const series = store.series.get(`pool ${name}`);
  return h(
    'li',
    { key: name, class: 'card', id: `pool ${name}` },
    h('h3', h('a', { class: 'cover', href: hrefOf(['pools', name]) }, name)),
    h(
      'p.verdict',
      badge(level, all === 0 ? 'No backends' : taking === all ? `${all} ready` : `${taking} of ${all} ready`),
      pool.hold !== null && badge('warn', pool.hold.phase === 'held' ? 'Held' : 'Releasing'),
      pool.queue > 0 && badge('warn', `${count(pool.queue)} wait`),
    ),
    numbers(pool.active, poolRates(name)),
    h('div.beside', spark('New connections a second', series?.connections, series?.failures)),
  );
}

export function poolRates(name: string) {
  const sum = (status: Status, pick: (one: Pool['backends'][number]) => number): number =>
    (status.pools[name]?.backends ?? []).reduce((total, one) => total + pick(one), 0);
  return ratesOf((status) => ({
    active: 0,
    limit: 0,
    total: sum(status, ({ total }) => total),
    bytesToBackend: sum(status, ({ bytesToBackend }) => bytesToBackend),
    bytesToClient: sum(status, ({ bytesToClient }) => bytesToClient),
  }));
}

function numbers(active: number, { connections, toBackend, toClient }: ReturnType<typeof ratesOf>): Element {
  return h(
    'p.numbers',
    h('span', h('strong', count(active)), ' open'),
    h('span', h('strong', rate(connections)), ' new/s'),
    h('span', h('strong', bytes(toBackend + toClient)), '/s'),
  );
}

function poolsOf(listener: ConfiguredListener | undefined): string[] {
  if (listener === undefined) return [];
  const routed = listener.routes.flatMap(({ pool, split = {} }) => [
    ...(pool ? [pool] : []),
    ...Object.keys(split),
  ]);
  return [...new Set([...routed, ...(listener.pool === undefined ? [] : [listener.pool])])];
}

function watchFlow(flow: HTMLElement): void {
  new ResizeObserver(() => wire(flow)).observe(flow);
}

/** Draws the lines from listeners to their pools, where the two stand side by side. */
export function wire(flow: HTMLElement): void {
  const origin = flow.getBoundingClientRect();
  const lines = Object.entries(store.configuration?.listeners ?? {}).flatMap(([name, listener]) =>
    poolsOf(listener).flatMap((pool) => {
      const [from, to] = [`listener ${name}`, `pool ${pool}`].map((id) =>
        document.getElementById(id)?.getBoundingClientRect(),
      );
      if (from === undefined || to === undefined || to.left < from.right) return [];
      const [x1, x2] = [from.right - origin.left, to.left - origin.left];
      const [y1, y2] = [from, to].map(({ top, height }) => top - origin.top + Math.min(height / 2, 60)) as [
        number,
        number,
      ];
      const middle = (x1 + x2) / 2;
      return [`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`];
    }),
  );
  flow.querySelector('.wires path')?.setAttribute('d', lines.join(''));
}
