/** What several views are made of. */
import { type Child, type Element, h } from './dom.ts';
import { ago, inTime, time } from './format.ts';
import type { Override } from './model.ts';
import type { Level } from './why.ts';

/** Each level has a shape of its own, so that no colour says it alone. */
const shapes: Readonly<Record<Level, string>> = {
  good: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Z',
  idle: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Zm0 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
  warn: 'M8 1.5 15 14H1Z',
  bad: 'M5 1h6l4 4v6l-4 4H5l-4-4V5Zm.6 3.2L4.2 5.6 6.6 8l-2.4 2.4 1.4 1.4L8 9.4l2.4 2.4 1.4-1.4L9.4 8l2.4-2.4-1.4-1.4L8 6.6Z',
};

export function icon(level: Level): Element {
  return h(
    'svg',
    { class: `icon ${level}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    h('path', { d: shapes[level], 'fill-rule': 'evenodd' }),
  );
}

export function badge(level: Level, word: string): Element {
  return h('span', { class: `badge ${level}` }, icon(level), word);
}

export function when(iso: string, text = ago(iso)): Element {
  return h('time', { datetime: iso, title: `${time(iso)} (${iso})` }, text);
}

/** What was changed by hand, by whom, why and until when. */
export function overrideText({ field, value, configured, since: at, until, by, reason }: Override): Child {
  return [
    h('strong', typeof value === 'object' ? field : `${field} ${value}`),
    ` in place of ${configured}, by ${by} ${ago(at)}`,
    reason !== null && `: “${reason}”`,
    until === null ? '' : `, ends ${inTime(until)}`,
  ];
}

export interface Column {
  readonly head: string;
  /** Numbers stand at the right. */
  readonly kind?: 'number' | 'main' | 'actions' | undefined;
}

export interface Row {
  readonly key: string;
  readonly cells: readonly Child[];
  /** Shown under the row, over its whole width. */
  readonly more?: Child;
}

/** On a narrow screen each row is a card; the roles keep it a table for screen readers. */
export function table(caption: string, columns: readonly Column[], rows: readonly Row[]): Element {
  const kind = (at: number): string => columns[at]?.kind ?? '';
  return h(
    'table',
    { role: 'table' },
    h('caption.unseen', caption),
    h(
      'thead',
      { role: 'rowgroup' },
      h(
        'tr',
        { role: 'row' },
        columns.map(({ head }, at) => h('th', { role: 'columnheader', scope: 'col', class: kind(at) }, head)),
      ),
    ),
    h(
      'tbody',
      { role: 'rowgroup' },
      rows.flatMap(({ key, cells, more }) => [
        h(
          'tr',
          { key, role: 'row' },
          cells.map((cell, at) =>
            h('td', { role: 'cell', class: kind(at), 'data-head': columns[at]?.head }, cell),
          ),
        ),
        more !== undefined &&
          h(
            'tr',
            { key: `${key} more`, role: 'row', class: 'more' },
            h('td', { role: 'cell', colspan: columns.length }, more),
          ),
      ]),
    ),
  );
}

export function button(text: Child, onclick: () => unknown, kind = ''): Element {
  return h('button', { type: 'button', class: kind, onclick }, text);
}

/** The head of a view: its title, which gets the focus, a line about it, and what can be done. */
export function heading(title: Child, text: Child, ...more: Child[]): Element {
  return h('header.head', h('h1', { tabindex: -1 }, title), h('p.muted', text), more);
}

/** Where there is nothing to show: why, and what would change that. */
export function empty(title: string, ...text: Child[]): Element {
  return h('div.empty', h('p.strong', title), h('p', text));
}

/** No two fields of a view and its dialog have the same name. */
export function field(label: string, input: Element, hint?: string): Element {
  const id = `field-${String(input.props['name'])}`;
  const described = hint === undefined ? {} : { 'aria-describedby': `${id}-hint` };
  return h(
    'div.field',
    h('label', { for: id }, label),
    { ...input, props: { ...input.props, id, ...described } },
    hint !== undefined && h('small', { id: `${id}-hint` }, hint),
  );
}

export function select(
  name: string,
  options: readonly (readonly [value: string, text: string])[],
  initial?: string,
): Element {
  return h(
    'select',
    { name, initial },
    options.map(([value, text]) => h('option', { value }, text)),
  );
}

/** A field in which one of some values is chosen. */
export function choice(label: string, ...options: Parameters<typeof select>): Element {
  return field(label, select(...options));
}

export function input(
  name: string,
  props: Readonly<Record<string, string | number | boolean>> = {},
): Element {
  return h('input', { name, autocomplete: 'off', spellcheck: 'false', ...props });
}

/** A form that stays on the page. */
export function form(
  props: { readonly class: string; submit(data: FormData): unknown },
  ...children: Child[]
) {
  const onsubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    props.submit(new FormData(event.currentTarget as HTMLFormElement)); // It is the form's own handler.
  };
  return h('form', { class: props.class, onsubmit }, children);
}

/** What was written into a field, without blanks around it; undefined where nothing was. */
export function textIn(data: FormData, name: string): string | undefined {
  const value = data.get(name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
