// Every node of the Hub is made here, from names and texts: what visitors send is text and never
// markup.

export type Child = Node | string | number | null | undefined | false;
type Value = string | number | boolean | null | undefined | ((event: Event) => void);

const SVG = 'http://www.w3.org/2000/svg';
const URLS = /^(?:[#/.?]|https?:)/i;

/** An element: `on…` members listen, true is an attribute without a value, false is none. */
export function h<K extends keyof HTMLElementTagNameMap>(
    name: K,
    attributes?: Record<string, Value>,
    ...children: Child[]
): HTMLElementTagNameMap[K];
export function h(
    name: string,
    attributes?: Record<string, Value>,
    ...children: Child[]
): HTMLElement;
export function h(
    name: string,
    attributes: Record<string, Value> = {},
    ...children: Child[]
): HTMLElement {
    return filled(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function s(
    name: string,
    attributes: Record<string, Value> = {},
    ...children: Child[]
): SVGElement {
    return filled(document.createElementNS(SVG, name) as SVGElement, attributes, children);
}

function filled<T extends Element>(
    element: T,
    attributes: Record<string, Value>,
    children: Child[],
): T {
    for (const [key, value] of Object.entries(attributes)) set(element, key, value);
    element.append(...nodes(children));
    return element;
}

function set(element: Element, key: string, value: Value): void {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value === false || value === null || value === undefined) return;
    else if (key === 'href' && !URLS.test(String(value))) return;
    else element.setAttribute(key, String(value));
}

/** Children as nodes, without those that are not there. */
export function nodes(children: Child[]): Node[] {
    const there = children.filter((one) => one !== null && one !== undefined && one !== false);
    return (there as (Node | string | number)[]).map((one) =>
        one instanceof Node ? one : document.createTextNode(String(one)),
    );
}

/** Replaces what is in an element, unless somebody's focus or pointer is in it. */
export function isInUse(element: Element): boolean {
    return element.matches(':hover') || element.contains(document.activeElement);
}

let counter = 0;

/** An id that nobody else on the page has. */
export function freshId(name: string): string {
    counter += 1;
    return `${name}-${counter}`;
}
