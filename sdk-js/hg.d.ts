/**
 * Heliograph's browser SDK. Put this in the page's head; calls made before the script has loaded
 * are kept with their own time and replayed, `config` and `consent` first.
 *
 *     <script>
 *     window.hg = window.hg || function () { (hg.q = hg.q || []).push([Date.now(), arguments]) }
 *     </script>
 *     <script async src="https://HOST/hg.js" data-key="YOUR_KEY" data-consent="15"></script>
 */
export type ConsentBits = number;

/** Events with names that every engine knows. */
export type EcommerceEvent =
    | 'view_item' | 'view_item_list' | 'add_to_cart' | 'remove_from_cart' | 'view_cart'
    | 'add_to_wishlist' | 'select_plan' | 'begin_checkout' | 'add_shipping_info'
    | 'add_payment_info' | 'purchase' | 'refund' | 'search' | 'lead' | 'sign_up' | 'subscribe'
    | 'start_trial' | 'book_demo' | 'video_start';

/** At most 32 keys and 2 KB; what is beyond is left out. */
export interface Properties {
    [name: string]: string | number | boolean | null | Properties | Array<string | number | Properties>;
}

export interface Heliograph {
    /**
     * The visitor's choice: 1 measurement, 2 storage on the device, 4 behavioural profiling,
     * 8 linking and marketing, 16 inference from the pointer, 32 ad personalisation. It is
     * remembered on the device, and replaces the tag's `data-consent`.
     */
    (command: 'consent', bits: ConsentBits): void;
    /** Only before the script has loaded. */
    (command: 'config', values: { consent?: ConsentBits; routes?: 'path' | 'search' | 'off' }): void;
    /** Something that happened, by its name (at most 64 characters). */
    (command: 'track', name: string, properties?: Properties): void;
    (command: EcommerceEvent, properties?: Properties): void;
    /** Who the visitor is: a hash made by your server, at most 96 characters; never an address. */
    (command: 'identify', hashedId: string, traits?: Properties): void;
    /** A new page is shown; needed only with `data-spa="off"`. */
    (command: 'page'): void;
}

declare global {
    interface Window {
        hg: Heliograph;
    }
    const hg: Heliograph;
}
