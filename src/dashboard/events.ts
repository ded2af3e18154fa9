/** What has happened, newest first. */
import { type Child, h } from './dom.ts';
import type { ProxyEvent } from './model.ts';
import { badge, choice, empty, heading, when } from './parts.ts';
import { hrefOf, type Place } from './route.ts';
import { store } from './store.ts';
import { type Level, sentence } from './why.ts';

const kinds = ['state', 'health', 'circuit', 'hold', 'reload', 'certificate', 'operator'];

export function eventsView(_: unknown, { query }: Place): Child {
  const kind = query.get('kind') ?? '';
  const shown = store.events.filter((one) => kind === '' || one.kind === kind);
  return [
    heading('Events', 'What has happened to this process, newest first. New ones appear by themselves.'),
    h(
      'div',
      { class: 'filters', onchange: (event: Event) => go(event) },
      choice('Kind', 'kind', [['', 'all'], ...kinds.map((one) => [one, one] as const)], kind),
    ),
    shown.length === 0
      ? empty(
          'Nothing has happened yet',
          'Changes of health, breakers and configuration, and what operators do, will stand here.',
        )
      : h(
          'ol.events',
          shown.map((event) =>
            h(
              'li',
              { key: event.id },
              badge(levelOf(event), event.kind),
              h('p', linked(event)),
              when(event.at),
            ),
          ),
        ),
  ];
}

function go(event: Event): void {
  location.hash = hrefOf(['events'], { kind: (event.target as HTMLSelectElement).value }).slice(1); // The only field.
}

/** The backend that it is about leads to where that is shown. */
function linked(event: ProxyEvent): Child {
  const { pool, backend } = event;
  const text = eventText(event);
  if (event.kind === 'operator' || typeof pool !== 'string' || typeof backend !== 'string') return text;
  const at = text.indexOf(backend);
  const link = h('a', { class: 'mono', href: hrefOf(['pools', pool, backend]) }, backend);
  return at < 0 ? text : [text.slice(0, at), link, text.slice(at + backend.length)];
}

function levelOf({ kind, health, circuit, ok, state, certificate, hold }: ProxyEvent): Level {
  const isBad = health === 'down' || circuit === 'open' || ok === false || certificate === 'expired';
  if (isBad) return 'bad';
  const isWarn =
    state === 'drain' ||
    state === 'maint' ||
    state === 'paused' ||
    state === 'off' ||
    circuit === 'half-open' ||
    certificate === 'expiring' ||
    hold === 'held';
  if (isWarn) return 'warn';
  return kind === 'operator' ? 'idle' : 'good';
}

/** As a sentence. */
export function eventText(event: ProxyEvent): string {
  const of = (name: string): string => (typeof event[name] === 'string' ? (event[name] as string) : ''); // Just found.
  const where = of('listener') ? `The listener ${of('listener')}` : `${of('backend')} in ${of('pool')}`;
  const detail = of('detail') === '' ? '' : ` ${sentence(of('detail'))}`;
  switch (event.kind) {
    case 'health':
      return `${where} is ${of('health')}.${detail}`;
    case 'circuit':
      return `The breaker of ${where} is ${of('circuit')}.${detail}`;
    case 'state':
      return `${where} is to be ${of('state')}.${detail}`;
    case 'hold':
      return `${of('pool')} is ${of('hold')}.`;
    case 'reload':
      return event['ok'] === true
        ? `The configuration was reloaded (${of('trigger')}).`
        : `The configuration was not reloaded (${of('trigger')}): an older one runs on.`;
    case 'operator':
      return `${of('by')}: ${of('method')} ${of('path')}, answered ${String(event['status'] ?? '')}${of('reason') && `: “${of('reason')}”`}.`;
    case 'certificate':
      return `The certificate for ${of('name')} is ${of('certificate')}; it ends at ${of('expires')}.`;
    default: {
      const { id: _, kind, at: __, ...rest } = event;
      const words = Object.entries(rest).map(
        ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      return `${kind}: ${words.join(', ')}`;
    }
  }
}
