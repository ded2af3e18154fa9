/**
 * Draws what a view describes, and later only what has changed of it: so a button keeps its focus and a text its
 * selection while numbers run. Texts become text nodes and nothing else, whatever they say.
 */
export interface Element {
  readonly tag: string;
  readonly props: Props;
  readonly children: readonly Child[];
}

export type Child = Element | string | number | false | null | undefined | readonly Child[];

/**
 * `key` tells siblings apart that may move. `initial` is the value of a field when it is made; later it is the
 * user's. `made` is called once with the new node. Functions are handlers, all others are attributes.
 */
export interface Props {
  readonly key?: string;
  readonly initial?: string | undefined;
  readonly made?: (node: never) => void;
  readonly [name: string]: Attribute | ((event: never) => unknown);
}
type Attribute = string | number | boolean | undefined;

/** A tag may have classes: `p.muted`. An object in front of the children is the element's props. */
export function h(name: string, ...content: readonly [Props, ...Child[]] | readonly Child[]): Element {
  const [tag = '', ...classes] = name.split('.');
  const [first, ...rest] = content;
  const [props, children] = isProps(first) ? [first, rest] : [{}, content];
  return {
    tag,
    props: classes.length === 0 ? props : { class: classes.join(' '), ...props },
    children: children as readonly Child[], // Only the first can be props.
  };
}

function isProps(one: Props | Child): one is Props {
  return typeof one === 'object' && one !== null && !Array.isArray(one) && !('tag' in one);
}

const drawn = new WeakMap<Node, Props>();
const ofSvg = new Set(['svg', 'path', 'circle', 'line', 'rect']);

export function draw(parent: ParentNode & Node, children: readonly Child[]): void {
  const wanted = flat(children);
  const kept = new Map<string, ChildNode>();
  const keys = new Set(wanted.map((one) => (typeof one === 'string' ? undefined : one.props.key)));
  for (const node of [...parent.childNodes]) {
    const key = drawn.get(node)?.key;
    if (key === undefined) continue;
    if (keys.has(key)) kept.set(key, node);
    else node.remove();
  }
  let at = parent.firstChild;
  for (const child of wanted) {
    const key = typeof child === 'string' ? undefined : child.props.key;
    const same = key === undefined ? (fits(at, child) ? at : undefined) : kept.get(key);
    const node = same ?? make(child);
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
    fill(node, child);
    if (same === undefined && typeof child !== 'string') begin(node, child.props);
  }
  while (at !== null) {
    const next: ChildNode | null = at.nextSibling;
    at.remove();
    at = next;
  }
}

function flat(children: readonly Child[]): (Element | string)[] {
  return children.flatMap((child) => {
    if (Array.isArray(child)) return flat(child);
    if (child === false || child === null || child === undefined) return [];
    return typeof child === 'number' ? [String(child)] : [child as Element | string]; // What is left of Child.
  });
}

function fits(node: ChildNode | null, child: Element | string): boolean {
  if (typeof child === 'string') return node?.nodeType === Node.TEXT_NODE;
  return node?.nodeName.toLowerCase() === child.tag && drawn.get(node)?.key === undefined;
}

function make(child: Element | string): ChildNode {
  if (typeof child === 'string') return document.createTextNode(child);
  return ofSvg.has(child.tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', child.tag)
    : document.createElement(child.tag);
}

function fill(node: ChildNode, child: Element | string): void {
  if (typeof child === 'string') {
    if (node.nodeValue !== child) node.nodeValue = child;
    return;
  }
  const element = node as HTMLElement; // It was made of the same tag.
  const before: Props = drawn.get(node) ?? {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(child.props)])) {
    if (name === 'key' || name === 'initial' || name === 'made') continue;
    const value = child.props[name];
    if (value === before[name]) continue;
    if (typeof value === 'function' || typeof before[name] === 'function')
      Reflect.set(element, name, value ?? null);
    else if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  drawn.set(node, child.props);
  draw(element, child.children);
}

function begin(node: ChildNode, { initial, made }: Props): void {
  if (initial !== undefined) (node as HTMLInputElement).value = initial;
  made?.(node as never); // The view knows what it has asked for.
}
