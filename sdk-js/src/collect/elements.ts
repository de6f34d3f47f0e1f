const PRIVATE = '[data-private],input[type=password],[autocomplete^=cc-],[name*=card i]'
    + ',[name*=cvc i]';
const TEXT_FIELD = 'input:not([type=button]):not([type=submit]):not([type=checkbox])'
    + ':not([type=radio]),textarea,select,[contenteditable=""],[contenteditable=true]';
const CTA = '[data-cta],button[type=submit],input[type=submit],a[class*=primary]'
    + ',button[class*=primary]';
const INTERACTIVE = 'a[href],button,input,select,textarea,label,summary,[role=button],[role=link]'
    + ',[role=tab],[role=menuitem],[onclick],[data-cta]';

/** The element an event was aimed at, or null when it was a document or text. */
export function targetOf(event: Event): Element | null {
    const path = event.composedPath ? event.composedPath() : [];
    const target = path[0] || event.target;
    return target instanceof Element ? target : null;
}

export const isPrivate = (element: Element) => element.closest(PRIVATE) !== null;
export const isTextField = (element: Element) => element.closest(TEXT_FIELD) !== null;
export const ctaOf = (element: Element) => element.closest(CTA);
export const interactiveOf = (element: Element) => element.closest(INTERACTIVE);
export const allCtas = () => Array.from(document.querySelectorAll(CTA));

/** What a control is called: its mark-up name, else its words; nothing inside private parts. */
export function labelOf(element: Element): string {
    const marked = element.getAttribute('data-cta');
    if (marked) return marked.slice(0, 64);
    if (isPrivate(element)) return '';
    const words = element.getAttribute('aria-label') || element.textContent || '';
    return words.trim().replace(/\s+/g, ' ').slice(0, 64);
}

/** A name that the site gave, cut to `characters`. */
export function nameOf(element: Element, characters: number): string {
    const names = ['data-form', 'name', 'id'].map((attribute) => element.getAttribute(attribute));
    return (names.filter(Boolean)[0] || element.tagName.toLowerCase()).slice(0, characters);
}
