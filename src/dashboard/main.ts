/** The page: what is around the views, which one is shown, and how it is signed in. */
import { token } from './api.ts';
import { configurationView } from './configuration.ts';
import { dialogView } from './dialog.ts';
import { type Child, draw, type Element, h } from './dom.ts';
import { eventsView, eventText } from './events.ts';
import { explainView } from './explain.ts';
import { since, time } from './format.ts';
import type { Status } from './model.ts';
import { overview, wire } from './overview.ts';
import { badge, button, field, form, icon, input, textIn } from './parts.ts';
import { poolView } from './pool.ts';
import { type Place, place } from './route.ts';
import { sessionsView } from './sessions.ts';
import { describeEventsWith, follow, signIn, signOut, status, store, whenChanged } from './store.ts';

interface View {
  readonly title: string;
  show(status: Status, place: Place): Child;
}

/** THE TABLE of views; those with a name in the navigation have one here. */
const views: Readonly<Record<string, View>> = {
  '': { title: 'Overview', show: overview },
  sessions: { title: 'Sessions', show: sessionsView },
  explain: { title: 'Explain', show: explainView },
  events: { title: 'Events', show: eventsView },
  configuration: { title: 'Config', show: configurationView },
  pools: { title: 'Pool', show: poolView },
};

const body = document.body;

function page(): Child {
  const at = place();
  const view = views[at.view] ?? views[''];
  const now = status();
  return [
    h('a', { class: 'skip', href: '#main', onclick: skip }, 'Skip to the content'),
    h('header.bar', brand(), navigation(at), linkState()),
    store.link === 'lost' && lostBanner(),
    now?.phase === 'draining' &&
      store.link === 'live' &&
      h(
        'p',
        { class: 'banner warn', role: 'status' },
        icon('warn'),
        ' The proxy is stopping: it finishes what is open.',
      ),
    h(
      'main',
      { id: 'main', tabindex: -1, class: store.link === 'lost' ? 'stale' : undefined },
      store.link === 'denied'
        ? signInForm()
        : now === undefined
          ? h(
              'p',
              { class: 'loading', role: 'status' },
              store.link === 'lost' ? 'Nothing is known yet.' : 'Asking the proxy …',
            )
          : h('div', { key: `${at.view}/${at.parts[0] ?? ''}`, class: 'view' }, view?.show(now, at)),
    ),
    now !== undefined && footer(now),
    h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' }, store.announcement),
    dialogView(),
  ];
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function brand(): Element {
  return h(
    'a',
    { class: 'brand', href: '#/' },
    h(
      'svg',
      { viewBox: '0 0 24 24', 'aria-hidden': 'true' },
      h('path', {
        d: 'M3 7c4.5-3 4.5 3 9 0s4.5 3 9 0M3 12c4.5-3 4.5 3 9 0s4.5 3 9 0M3 17c4.5-3 4.5 3 9 0s4.5 3 9 0',
      }),
    ),
    'sluice',
  );
}

function navigation({ view }: Place): Element {
  const link = ([name, { title }]: readonly [string, View]): Element => {
    const isHere = view === name || (view === 'pools' && name === '');
    return h('li', h('a', { href: `#/${name}`, 'aria-current': isHere ? 'page' : undefined }, title));
  };
  const shown = Object.entries(views).filter(([name]) => name !== 'pools');
  return h('nav', { 'aria-label': 'Views' }, h('ul', shown.map(link)));
}

function linkState(): Element {
  const { link, caller } = store;
  const who = caller?.may === 'read' ? 'read only' : undefined;
  return h(
    'div.link',
    who !== undefined && link === 'live' && h('span', { class: 'tag', title: `As ${caller?.name}` }, who),
    link === 'live' && badge('good', 'Live'),
    link === 'opening' && badge('idle', 'Connecting'),
    link === 'lost' && badge('bad', 'No connection'),
    link === 'denied' && badge('warn', 'Signed out'),
    token.get() !== null && link !== 'denied' && button('Sign out', signOut),
  );
}

function lostBanner(): Element {
  return h(
    'p',
    { class: 'banner bad', role: 'alert' },
    icon('bad'),
    h('strong', ' No connection to the proxy'),
    ` since ${time(new Date(store.lostMs).toISOString())}. What you see is from before. It is tried again every two seconds.${store.problem}`,
  );
}

function signInForm(): Element {
  const wasWrong = token.get() !== null;
  return form(
    {
      class: 'card sign-in stack',
      submit(data) {
        const secret = textIn(data, 'token');
        if (secret !== undefined) signIn(secret);
      },
    },
    h('h1', { tabindex: -1 }, 'This proxy wants a token'),
    h(
      'p.muted',
      'One of the admin section of its configuration. It is kept until you close this tab. With one that may only read, you can look and change nothing.',
    ),
    field('Token', input('token', { type: 'password', required: true, autofocus: true })),
    wasWrong &&
      h(
        'p',
        { class: 'problem', role: 'alert' },
        'The proxy does not know the token that was sent. Look it up in admin.token or admin.tokens.',
      ),
    h('div.buttons', h('button.primary', 'Sign in')),
  );
}

function footer({ version, driver, pid, started, configuration }: Status): Element {
  return h(
    'footer',
    `sluice ${version}, driver ${driver}, process ${pid}, up for ${since(started)}`,
    configuration.lastReloadFailed && [
      ' ',
      h('a', { href: '#/configuration' }, icon('bad'), ' The last reload was refused'),
    ],
  );
}

function redraw(): void {
  const focused = document.activeElement;
  draw(body, [page()]);
  // A row that has moved loses it.
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected)
    focused.focus();
  const flow = document.querySelector<HTMLElement>('.flow');
  if (flow !== null) wire(flow);
}

function showPlace(): void {
  const { view, parts } = place();
  const title = view === 'pools' ? parts[0] : views[view]?.title;
  document.title = `${title ?? 'Overview'} · sluice`;
  redraw();
}

/** Moves the focus to the heading of the new view, so that a screen reader says where one is. */
function moved(event: HashChangeEvent): void {
  showPlace();
  const [before, now] = [event.oldURL, event.newURL].map((url) =>
    new URL(url).hash.split(/[?]/)[0]?.split('/').slice(0, 3).join('/'),
  );
  if (before === now) return;
  scrollTo(0, 0);
  document.querySelector('h1')?.focus();
}

whenChanged(redraw);
describeEventsWith(eventText);
addEventListener('hashchange', moved);
// Times run on while nothing comes.
setInterval(redraw, 1_000);
follow();
showPlace();
