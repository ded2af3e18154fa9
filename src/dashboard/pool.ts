/** One pool: how each backend is and why, and what can be done about it. */
import { backendActions, drainAction, undoAction } from './actions.ts';
import { type Child, type Element, h } from './dom.ts';
import { bytes, count, counted, inTime, rate, since, span } from './format.ts';
import type { Backend, Limit, Override, Pool, Status } from './model.ts';
import { poolRates, verdictText } from './overview.ts';
import { badge, button, empty, heading, icon, overrideText, table, when } from './parts.ts';
import { poolActions } from './pool-actions.ts';
import { hrefOf, type Place } from './route.ts';
import { spark } from './spark.ts';
import { backendIn, changed, mayOperate, ratesOf, showHistory, store } from './store.ts';
import { sentence, standbyIn, takingIn, verdictOf } from './why.ts';

export function poolView(status: Status, { parts: [name = '', shown] }: Place): Child {
  const pool = Object.hasOwn(status.pools, name) ? status.pools[name] : undefined;
  if (pool === undefined) {
    return empty(
      `There is no pool “${name}”`,
      'The configuration may have lost it. ',
      h('a', { href: '#/' }, 'All pools'),
    );
  }
  showHistory(name);
  const taking = takingIn(pool);
  const { connections, toBackend, toClient } = poolRates(name);
  const waits =
    pool.queue > 0 && ` ${counted(pool.queue, 'client')} wait, the first for ${span(pool.longestWaitMs)}.`;
  return [
    h(
      'nav',
      { class: 'crumbs', 'aria-label': 'Where you are' },
      h('a', { href: '#/' }, 'Overview'),
      ' / ',
      name,
    ),
    heading(
      [
        icon(taking === pool.backends.length ? 'good' : taking > 0 ? 'warn' : 'bad'),
        `${name}: ${taking} of ${counted(pool.backends.length, 'backend')} ${taking === 1 ? 'takes' : 'take'} clients`,
      ],
      [
        `${pool.balance}, ${ofLimit(pool.active, pool.limit)} open, ${rate(connections)} new a second, ` +
          `${bytes(toBackend)}/s to backends, ${bytes(toClient)}/s to clients.`,
        waits,
      ],
      mayOperate() && h('div.buttons', poolActions(name, pool)),
    ),
    holdBanner(pool),
    pool.names
      .filter(({ problem }) => problem !== null)
      .map((one) => h('p.banner.warn', icon('warn'), ` ${one.name} does not resolve: ${one.problem}`)),
    pool.backends.length === 0
      ? empty('This pool has no backends', 'Its names resolve to no address yet, or its file lists none.')
      : backendTable(name, pool, shown),
    !showsAll &&
      pool.backends.length > mostRows &&
      h(
        'div.buttons',
        h('p.muted', `${mostRows} are shown, first those that take no clients.`),
        button(`Show all ${count(pool.backends.length)}`, () => {
          showsAll = true;
          changed();
        }),
      ),
  ];
}

/** A browser takes its time to draw thousands. */
const mostRows = 100;
let showsAll = false;

/** In the order of the file, where there are not too many. */
function backendsToShow({ backends }: Pool, shown: string | undefined): readonly Backend[] {
  if (showsAll || backends.length <= mostRows) return backends;
  const isFirst = ({ address, unavailable }: Backend): boolean => unavailable !== null || address === shown;
  return [...backends.filter(isFirst), ...backends.filter((one) => !isFirst(one))].slice(0, mostRows);
}

function holdBanner({ hold, queue, longestWaitMs }: Pool): Child {
  if (hold === null) return undefined;
  const { phase, rate: pace } = hold;
  const waiting = `${counted(queue, 'client')} ${queue === 1 ? 'waits' : 'wait'}`;
  const what =
    phase === 'held' ? ' Held' : pace === 'unlimited' ? ' Releasing' : ` Releasing, ${pace} a second`;
  return h(
    'p.banner.warn',
    icon('warn'),
    h('strong', what),
    `: ${waiting}`,
    queue > 0 && `, the first for ${span(longestWaitMs)}`,
    '.',
  );
}

function backendTable(name: string, pool: Pool, shown: string | undefined): Element {
  const isStandby = standbyIn(pool.backends);
  return table(
    `Backends of ${name}`,
    [
      { head: 'Backend', kind: 'main' },
      { head: 'Takes clients?' },
      { head: 'Open', kind: 'number' },
      { head: 'New/s', kind: 'number' },
      { head: 'Traffic', kind: 'number' },
      { head: 'Last 15 minutes' },
      { head: 'Actions', kind: 'actions' },
    ],
    backendsToShow(pool, shown).map((backend) => {
      const { address } = backend;
      const overrides = store.overrides.filter(
        (one) => one.pool === name && (one.backend === address || one.backend === backend.name),
      );
      const verdict = verdictOf(backend, pool, overrides, backend.backup && isStandby);
      const { connections, toBackend, toClient } = ratesOf((status) =>
        backendIn(status.pools[name], address),
      );
      const series = store.series.get(`backend ${address}`);
      const isOpen = shown === address;
      return {
        key: address,
        cells: [
          [
            h(
              'a',
              {
                class: 'mono strong',
                href: hrefOf(isOpen ? ['pools', name] : ['pools', name, address]),
                'aria-expanded': isOpen ? 'true' : 'false',
              },
              address,
            ),
            backend.name !== null && backend.name !== address && h('p.muted', backend.name),
            h(
              'p',
              tags(backend, overrides).map((tag) => h('span.tag', tag)),
            ),
          ],
          verdictText(verdict),
          [
            h(
              'a',
              {
                href: hrefOf(['sessions'], { pool: name, backend: address }),
                title: 'Show the open sessions of this backend',
              },
              ofLimit(backend.active, backend.limit),
              h('span.unseen', ` open sessions of ${address}`),
            ),
            backend.state !== 'ready' && backend.active > 0 && h('p.muted', 'hold the drain open'),
          ],
          rate(connections),
          `${bytes(toBackend + toClient)}/s`,
          spark('New connections a second', series?.connections, series?.failures),
          [
            mayOperate() && !isOpen && drainAction(name, backend, pool),
            h(
              'a',
              { class: 'button', href: hrefOf(isOpen ? ['pools', name] : ['pools', name, address]) },
              isOpen ? 'Less' : 'More',
              h('span.unseen', ` of ${address}`),
            ),
          ],
        ],
        more: isOpen ? details(name, pool, backend, overrides) : undefined,
      };
    }),
  );
}

function tags({ backup, weight, effectiveWeight }: Backend, overrides: readonly Override[]): string[] {
  const ramps = effectiveWeight > 0 && effectiveWeight < weight;
  return [
    ...(backup ? ['backup'] : []),
    ...(weight === 1 ? [] : [`weight ${Number(weight.toFixed(3))}`]),
    ...(ramps ? [`now ${Number(effectiveWeight.toFixed(2))}`] : []),
    ...(overrides.length > 0 ? ['changed by hand'] : []),
  ];
}

function ofLimit(active: number, limit: Limit): string {
  return limit === 'unlimited' ? count(active) : `${count(active)} of ${count(limit)}`;
}

function details(name: string, pool: Pool, backend: Backend, overrides: readonly Override[]): Element {
  const {
    layers,
    health,
    healthSince,
    lastCheck,
    circuit,
    circuitSince,
    nextTrial,
    lastDialError,
    certificate,
  } = backend;
  const fact = (term: string, ...said: Child[]): Element => h('div', h('dt', term), h('dd', said));
  return h(
    'div.stack',
    h(
      'dl.facts',
      layers !== null &&
        fact(
          'Wanted, by layer',
          Object.entries(layers).map(([layer, state], at) => [
            at > 0 && ', ',
            `${layer} `,
            h('strong', state),
          ]),
          h('small', 'The strictest counts.'),
        ),
      fact(
        'Health',
        badge(health === 'down' ? 'bad' : health === 'up' ? 'good' : 'idle', health),
        ' for ',
        when(healthSince, since(healthSince)),
      ),
      fact(
        'Last check',
        lastCheck === null
          ? 'None yet, or this pool has no health check.'
          : lastCheck.pass
            ? [`${lastCheck.detail}, `, when(lastCheck.at)]
            : ['Failed ', when(lastCheck.at), `: ${sentence(lastCheck.detail)}`],
      ),
      fact(
        'Circuit breaker',
        badge(circuit === 'closed' ? 'good' : circuit === 'open' ? 'bad' : 'warn', circuit),
        ' for ',
        when(circuitSince, since(circuitSince)),
        nextTrial !== null && `, tries again ${inTime(nextTrial)}`,
      ),
      fact(
        'Last dial error',
        lastDialError === null
          ? 'None. '
          : ['Failed ', when(lastDialError.at), `: ${sentence(lastDialError.error)} `],
        `${counted(backend.dialFailures, 'dial')} failed of ${count(backend.total + backend.dialFailures)}.`,
      ),
      fact(
        'Weight',
        `${Number(backend.weight.toFixed(3))}, now effective ${Number(backend.effectiveWeight.toFixed(3))}`,
      ),
      backend.meanFirstByteMs !== null &&
        fact('First byte', `After ${span(backend.meanFirstByteMs)} on average`),
      certificate !== null &&
        fact(
          'Certificate',
          `${certificate.name}, ends `,
          when(certificate.expires, inTime(certificate.expires)),
        ),
    ),
    overrides.length > 0 && [
      h('h3', 'Changed by hand'),
      h(
        'ul.plain',
        overrides.map((one) =>
          h('li', { key: one.field }, overrideText(one), ' ', mayOperate() && undoAction(one)),
        ),
      ),
    ],
    mayOperate()
      ? h('div.buttons', backendActions(name, backend, pool))
      : h('p.muted', 'You may look, and need a token that may operate to change something.'),
    backend.active > 0 &&
      h(
        'p',
        h(
          'a',
          { href: hrefOf(['sessions'], { pool: name, backend: backend.address }) },
          `Show its ${counted(backend.active, 'open session')}`,
        ),
      ),
  );
}
