/** Asks before something is changed: what will happen, for how long, and why. */
import { problemText } from './api.ts';
import { type Child, type Element, h } from './dom.ts';
import { button, choice, field, form, input, textIn } from './parts.ts';
import { changed, loadOverrides, store } from './store.ts';

export interface Question {
  readonly title: string;
  /** What will happen: a paragraph, or several. */
  readonly text: string | readonly Child[];
  readonly fields?: Child;
  readonly confirm: string;
  readonly isDangerous?: boolean;
  /** What is said once it is done. */
  readonly done: string;
  run(data: FormData): Promise<unknown>;
}

let open: { readonly question: Question; problem: string; isBusy: boolean } | undefined;

export function question(question: Question): void {
  open = { question, problem: '', isBusy: false };
  changed();
}

export function dialogView(): Child {
  if (open === undefined) return undefined;
  const { question, problem, isBusy } = open;
  const { title, text, fields, confirm, isDangerous } = question;
  return h(
    'dialog',
    {
      key: title,
      'aria-labelledby': 'dialog-title',
      made: (node: HTMLDialogElement) => node.showModal(),
      onclose: close,
    },
    form(
      { class: 'stack', submit: (data) => void run(data) },
      h('h2', { id: 'dialog-title' }, title),
      h(
        'div.stack.small',
        [text].flat().map((paragraph) => h('p', paragraph)),
      ),
      fields,
      problem !== '' && h('p', { class: 'problem', role: 'alert' }, problem),
      h(
        'div.buttons.end',
        button('Cancel', close),
        h('button', { class: isDangerous ? 'danger' : 'primary', disabled: isBusy }, confirm),
      ),
    ),
  );
}

function close(): void {
  open = undefined;
  changed();
}

async function run(data: FormData): Promise<void> {
  const asked = open;
  if (asked === undefined || asked.isBusy) return;
  asked.isBusy = true;
  asked.problem = '';
  changed();
  try {
    await asked.question.run(data);
    store.announcement = asked.question.done;
    if (open === asked) close();
    await loadOverrides();
  } catch (error) {
    asked.problem = problemText(error);
  }
  asked.isBusy = false;
  changed();
}

/** For how long and why: what each change of a backend or pool can say. */
export function forAndWhy(times: readonly (readonly [string, string])[]): Child {
  return [
    choice('For', 'for', times),
    field(
      'Reason',
      input('reason', { maxlength: 200, placeholder: 'deploy of 4.2' }),
      'Shown wherever the change is',
    ),
  ];
}

export const untilChanged: readonly (readonly [string, string])[] = [
  ['', 'until somebody changes it'],
  ['5m', '5 minutes'],
  ['30m', '30 minutes'],
  ['1h', '1 hour'],
  ['4h', '4 hours'],
  ['1d', '1 day'],
];

export function forAndWhyIn(data: FormData): { for?: string; reason?: string } {
  const [time, reason] = [textIn(data, 'for'), textIn(data, 'reason')];
  return { ...(time !== undefined && { for: time }), ...(reason !== undefined && { reason }) };
}

export function strong(text: string): Element {
  return h('strong', text);
}
