const KEYS_MAXIMUM = 32;
const CHARACTERS_MAXIMUM = 2_000;
const KEY_CHARACTERS = 64;

/** What a caller hands over, cut to what the wire format takes; whole keys are left out. */
export function boundedProps(given: unknown): { [name: string]: unknown } | undefined {
    if (!given || typeof given !== 'object' || Array.isArray(given)) return undefined;
    const kept: { [name: string]: unknown } = {};
    let characters = 0;
    for (const name of Object.keys(given as object).slice(0, KEYS_MAXIMUM)) {
        const value = (given as { [name: string]: unknown })[name];
        const text = JSON.stringify(value);
        if (text === undefined) continue;
        characters += name.length + text.length + 4;
        if (characters <= CHARACTERS_MAXIMUM) kept[name.slice(0, KEY_CHARACTERS)] = value;
    }
    return Object.keys(kept).length ? kept : undefined;
}

const CONVERSIONS
    = /^(purchase|refund|subscribe|start_trial|lead|sign_up|begin_checkout|book_demo)$/;

/** Whether an event of this name is too dear to wait in a queue. */
export const isConversion = (name: string) => CONVERSIONS.test(name);

/** Names that may be called as commands of their own: `hg('purchase', { … })`. */
export const HELPERS = new RegExp('^(' + [
    'view_(item|item_list|cart)', 'add_(to_cart|to_wishlist|shipping_info|payment_info)',
    'remove_from_cart', 'select_plan', 'begin_checkout', 'purchase', 'refund', 'search', 'lead',
    'sign_up', 'subscribe', 'start_trial', 'book_demo', 'video_start',
].join('|') + ')$');
