const PRIVATE = '[data-private],input[type=password],[autocomplete^=cc-],[name*=card i]'
    + ',[name*=cvc i]';
const FIELD = 'input,textarea,select,[contenteditable]:not([contenteditable=false])';
const CTA = '[data-cta],button[type=submit],input[type=submit],a[class*=primary]'
    + ',button[class*=primary]';
const INTERACTIVE = 'a[href],button,input,select,textarea,label,summary,[role=button],[role=link]'
    + ',[role=tab],[role=menuitem],[onclick],[data-cta]';

/** How much of a document of this height has been shown (0–1), at the window's present offset. */
export const depthOf = (documentPixels: number) =>
    Math.min(1, (scrollY + innerHeight) / Math.max(1, documentPixels));

/** Whether somebody has words selected. */
export const hasSelection = (): boolean => {
    const selection = getSelection();
    return !!selection && !selection.isCollapsed;
};

export const isVisible = () => document.visibilityState === 'visible';

/** The element an event was aimed at, or null when it was a document or text. */
export const targetOf = (event: Event): Element | null => {
    const [target] = event.composedPath();
    return target instanceof Element ? target : null;
};

export const isPrivate = (element: Element) => !!element.closest(PRIVATE);
export const isTextField = (element: Element): boolean => {
    const field = element.closest(FIELD) as HTMLInputElement | null;
    return !!field && !/^(button|submit|checkbox|radio)$/.test(field.type);
};
export const ctaOf = (element: Element) => element.closest(CTA);
export const interactiveOf = (element: Element) => element.closest(INTERACTIVE);
export const allCtas = () => document.querySelectorAll(CTA);

/** What a control is called: its mark-up name, else its words; nothing inside private parts. */
export const labelOf = (element: Element): string => {
    const attribute = (name: string) => element.getAttribute(name);
    const words = attribute('data-cta') || !isPrivate(element)
        && (attribute('aria-label') || element.textContent) || '';
    return words.trim().replace(/\s+/g, ' ');
};

/** A name that the site gave, cut to `characters`. */
export const nameOf = (element: Element, characters: number): string => {
    const names = ['data-form', 'name', 'id'].map((attribute) => element.getAttribute(attribute));
    return (names.filter(Boolean)[0] || element.tagName.toLowerCase()).slice(0, characters);
};
