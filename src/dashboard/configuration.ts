/** What runs: the file with every default filled in, and what was changed beside it. */
import { undoAction } from './actions.ts';
import { type Child, type Element, h } from './dom.ts';
import { ago } from './format.ts';
import type { Override, Status } from './model.ts';
import { button, heading, icon, overrideText } from './parts.ts';
import { askReload } from './pool-actions.ts';
import { hrefOf } from './route.ts';
import { mayOperate, store } from './store.ts';

export function configurationView({ configuration, pendingRestart }: Status): Child {
  const { file, hash, loaded, lastReloadFailed } = configuration;
  return [
    heading(
      'Configuration',
      [
        file === null ? 'Not of a file' : ['Of ', h('span.mono', file), hash !== null && `, hash ${hash}`],
        `, loaded ${ago(loaded)}. Every default is filled in, and secrets are hidden.`,
      ],
      mayOperate() && file !== null && h('div.buttons', button('Reload', askReload)),
    ),
    lastReloadFailed &&
      h(
        'p.banner.bad',
        icon('bad'),
        ' The last reload was refused: what you see is older than the file. “Reload” shows its mistakes.',
      ),
    pendingRestart.length > 0 &&
      h(
        'p.banner.warn',
        icon('warn'),
        ` These have changed in the file and take a restart: ${pendingRestart.join(', ')}.`,
      ),
    h(
      'section',
      { 'aria-labelledby': 'overrides' },
      h('h2', { id: 'overrides' }, 'Changed by hand'),
      store.overrides.length === 0
        ? h('p.muted', 'Nothing: the file says it all.')
        : h(
            'ul.plain',
            store.overrides.map((one) =>
              h(
                'li',
                { key: JSON.stringify([one.listener, one.pool, one.backend, one.field]) },
                subjectOf(one),
                ': ',
                overrideText(one),
                ' ',
                mayOperate() && undoAction(one),
              ),
            ),
          ),
    ),
    h('h2', 'What runs'),
    store.configuration === undefined
      ? h('p.muted', 'Asking the proxy …')
      : h(
          'div',
          { class: 'tree', tabindex: 0, role: 'region', 'aria-label': 'Configuration' },
          tree(store.configuration, []),
        ),
  ];
}

function subjectOf({ listener, pool = '', backend }: Override): Child {
  if (listener !== undefined) return `listener ${listener}`;
  return backend === undefined
    ? h('a', { href: hrefOf(['pools', pool]) }, pool)
    : [h('a', { class: 'mono', href: hrefOf(['pools', pool, backend]) }, backend), ` in ${pool}`];
}

/** As YAML has it; what was changed by hand stands beside what it replaces. */
function tree(value: object, path: readonly string[]): Child {
  return Object.entries(value).map(([key, one]) => {
    const here = [...path, key];
    const isList = Array.isArray(value);
    const name = isList ? h('span.muted', '- ') : [h('span.key', key), ': '];
    if (typeof one !== 'object' || one === null) {
      return h('div', name, h('span.value', String(one)), isList ? undefined : marksOf(value, path, key));
    }
    if (Object.keys(one).length === 0) return h('div', name, Array.isArray(one) ? '[]' : '{}');
    const isFlat = Array.isArray(one) && one.every((each) => typeof each !== 'object');
    if (isFlat) return h('div', name, h('span.value', one.join(', ')));
    const parts = [marksOf(one, here, 'state'), tree(one, here)];
    if (isList) return h('div.item', parts);
    const isNamed = path.length === 1 && (path[0] === 'listeners' || path[0] === 'pools');
    return isNamed
      ? h('details', h('summary', h('span.key', key)), h('div.in', parts))
      : h('div', name, h('div.in', parts));
  });
}

function marksOf(backend: object, path: readonly string[], field: string): Element[] {
  const [section, pool] = path;
  if (section !== 'pools' || !('address' in backend)) return [];
  const holds = (one: Override): boolean =>
    one.pool === pool && one.backend === backend.address && one.field === field;
  return store.overrides.filter(holds).map((one) => h('mark', `${field} ${one.value} by ${one.by}`));
}
