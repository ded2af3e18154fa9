/** What an operator can do to a listener, to a whole pool, and to the configuration. */
import { change, sessionsIn } from './actions.ts';
import { json, pathOf } from './api.ts';
import { forAndWhy, forAndWhyIn, question, untilChanged } from './dialog.ts';
import { type Child, h } from './dom.ts';
import { counted } from './format.ts';
import type { Listener, Pool } from './model.ts';
import { button, choice, field, input, textIn } from './parts.ts';

export function poolActions(name: string, { hold, active, queue }: Pool): Child {
  if (hold === null) return button('Hold', () => askHold(name, active));
  return button(hold.phase === 'held' ? 'Release' : 'Release all', () => askRelease(name, queue), 'primary');
}

function askHold(name: string, active: number): void {
  question({
    title: `Hold ${name}`,
    text:
      'New clients are accepted and wait, instead of going to a backend: time to restart what is behind. ' +
      `${counted(active, 'connection')} ${active === 1 ? 'is' : 'are'} open now.`,
    fields: [
      choice('Open connections', 'sessions', [
        ['keep', 'go on'],
        ['30s', 'are closed over 30 seconds'],
        ['close', 'are closed at once'],
      ]),
      choice('Then', 'then', [
        ['resume', 'clients who wait go on'],
        ['refuse', 'clients who wait are refused'],
      ]),
      forAndWhy([
        ['30s', '30 seconds'],
        ['1m', '1 minute'],
        ['5m', '5 minutes'],
        ['10m', '10 minutes'],
      ]),
    ],
    confirm: 'Hold',
    done: `${name} is held: new clients wait`,
    run: (data) =>
      change(`pools/${pathOf(name)}`, {
        hold: { sessions: sessionsIn(data), then: textIn(data, 'then'), ...forAndWhyIn(data) },
      }),
  });
}

function askRelease(name: string, queue: number): void {
  question({
    title: `Release ${name}`,
    text: `${counted(queue, 'client')} ${queue === 1 ? 'waits' : 'wait'} now and will go to the backends.`,
    fields: field(
      'At most so many a second',
      input('rate', { inputmode: 'numeric', pattern: '[1-9]\\d{0,6}', title: 'A whole number from 1 on' }),
      'Empty lets all go at once',
    ),
    confirm: 'Release',
    done: `${name} serves its clients again`,
    run(data) {
      const rate = textIn(data, 'rate');
      return change(
        `pools/${pathOf(name)}`,
        rate === undefined ? { hold: null } : { release: { rate: Number(rate) } },
      );
    },
  });
}

export function listenerAction(name: string, { accept }: Listener): Child {
  const text = (word: string): Child => [word, h('span.unseen', ` ${name}`)];
  return accept === 'on'
    ? button(text('Pause'), () => askPause(name), 'quiet')
    : button(text('Accept'), () => askAccept(name), 'primary');
}

function askPause(name: string): void {
  question({
    title: `Pause ${name}`,
    text: 'Open connections go on. New clients wait unread, or are refused by the system.',
    fields: [
      choice('New clients', 'accept', [
        ['paused', 'wait'],
        ['off', 'are refused: the address is closed'],
      ]),
      forAndWhy(untilChanged),
    ],
    confirm: 'Pause',
    done: `${name} takes no new clients`,
    run: (data) =>
      change(`listeners/${pathOf(name)}`, { accept: textIn(data, 'accept'), ...forAndWhyIn(data) }),
  });
}

function askAccept(name: string): void {
  question({
    title: `Accept clients on ${name}`,
    text: 'What was changed by hand ends. Clients that wait are served first.',
    confirm: 'Accept',
    done: `${name} accepts clients`,
    run: () => change(`listeners/${pathOf(name)}`, { accept: null }),
  });
}

export function askReload(): void {
  question({
    title: 'Read the configuration again',
    text: 'The file is checked whole first. If it has a mistake, nothing changes, and all mistakes are shown.',
    confirm: 'Reload',
    done: 'The configuration was read again',
    run: () => json('reload', { method: 'POST' }),
  });
}
