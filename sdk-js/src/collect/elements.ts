const PRIVATE = '[data-private],input[type=password],[autocomplete^=cc-],[name*=card i]'
    + ',[name*=cvc i]';
const FIELD = 'input,textarea,select,[contenteditable]:not([contenteditable=false])';
const CTA = '[data-cta],button[type=submit],input[type=submit],a[class*=primary]'
    + ',button[class*=primary]';
const INTERACTIVE = 'a[href],button,input,select,textarea,label,summary,[role=button],[role=link]'
    + ',[role=tab],[role=menuitem],[onclick],[data-cta]';

/** The element an event was aimed at, or null when it was a document or text. */
export function targetOf(event: Event): Element | null {
    const [target] = event.composedPath();
    return target instanceof Element ? target : null;
}

export const isPrivate = (element: Element) => element.closest(PRIVATE) !== null;
export function isTextField(element: Element): boolean {
    const field = element.closest(FIELD) as HTMLInputElement | null;
    return field !== null && !/^(button|submit|checkbox|radio)$/.test(field.type);
}
export const ctaOf = (element: Element) => element.closest(CTA);
export const interactiveOf = (element: Element) => element.closest(INTERACTIVE);
export const allCtas = () => document.querySelectorAll(CTA);

/** What a control is called: its mark-up name, else its words; nothing inside private parts. */
export function labelOf(element: Element): string {
    const attribute = (name: string) => element.getAttribute(name);
    const words = attribute('data-cta') || !isPrivate(element)
        && (attribute('aria-label') || element.textContent) || '';
    return words.trim().replace(/\s+/g, ' ');
}

/** A name that the site gave, cut to `characters`. */
export function nameOf(element: Element, characters: number): string {
    const names = ['data-form', 'name', 'id'].map((attribute) => element.getAttribute(attribute));
    return (names.filter(Boolean)[0] || element.tagName.toLowerCase()).slice(0, characters);
}
