// Elements without HTML: what comes from elsewhere is text, and nothing parses it.

type Props<E extends HTMLElement> =
    Partial<Omit<E, 'style' | 'children' | 'dataset' | 'classList'>> &
    {attrs?: Record<string, string>};

export type Child = Node | string | null | false | undefined;

export function h<K extends keyof HTMLElementTagNameMap>(
    tag: K, props: Props<HTMLElementTagNameMap[K]> = {},
    ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const {attrs, ...own} = props;
  Object.assign(element, own);
  for (const [name, value] of Object.entries(attrs ?? {})) element.setAttribute(name, value);
  element.append(...present(children));
  return element;
}

/** Puts these in the place of all that was there. */
export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren(...present(children));
}

function present(children: Child[]): (Node | string)[] {
  return children.filter((child): child is Node | string => Boolean(child) || child === '');
}

const svgSpace = 'http://www.w3.org/2000/svg';

export function svg(tag: string, attrs: Record<string, string>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
