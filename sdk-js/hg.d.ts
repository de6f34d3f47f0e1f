/**
 * Heliograph's browser SDK. Put this in the page's head; calls made before the script has loaded
 * are kept with their own time and replayed, `config` and `consent` first.
 *
 *     <script>
 *     window.hg = window.hg || function () { (hg.q = hg.q || []).push([Date.now(), arguments]) }
 *     </script>
 *     <script async src="https://HOST/hg.js" data-key="YOUR_KEY" data-consent="15"></script>
 *
 * Or, in a bundle: `import { start, track } from './hg.mjs'`.
 */

/**
 * A sum of: 1 measurement, 2 storage on the device, 4 behavioural profiling, 8 linking and
 * marketing, 16 inference from the pointer, 32 ad personalisation.
 */
export type ConsentBits = number;

/**
 * Events that every engine knows by name. Conversions among them are sent at once, and to the
 * pixels on the page where consent allows. Any other name may be called or tracked as well.
 */
export type EcommerceEvent =
    | 'view_item' | 'view_content' | 'view_item_list' | 'view_cart' | 'search' | 'select_plan'
    | 'add_to_cart' | 'remove_from_cart' | 'add_to_wishlist' | 'customize_product'
    | 'begin_checkout' | 'initiate_checkout' | 'add_shipping_info' | 'add_payment_info'
    | 'purchase' | 'refund' | 'donate' | 'lead' | 'generate_lead' | 'contact' | 'schedule'
    | 'book_demo' | 'sign_up' | 'complete_registration' | 'submit_application' | 'start_trial'
    | 'subscribe' | 'find_location' | 'video_start';

/** At most 32 keys and 2 KB; whole keys that find no room are left out. */
export interface Properties {
    [name: string]:
        string | number | boolean | null | Properties | Array<string | number | Properties>;
}

/** One thing of a basket, in the property `items`. */
export interface Item {
    id?: string;
    name?: string;
    price?: number;
    quantity?: number;
    brand?: string;
    category?: string;
    variant?: string;
}

/**
 * What the tag's `data-` attributes say (`data-link-hosts` is `linkHosts`), `hg('config', …)`
 * before the script has loaded, or the argument of the module's `start`.
 */
export interface Options {
    /** The site's public key; without it the SDK does nothing. */
    key?: string;
    /** Where beacons go; otherwise `/v1/e` at the script's own origin. */
    endpoint?: string;
    /** What holds until the visitor chooses; 1 when absent. */
    consent?: ConsentBits;
    /**
     * What makes a new page in a single-page application: its path, its query too, or only calls.
     */
    spa?: 'path' | 'search' | 'off';
    /** `respect`: Do Not Track counts as Global Privacy Control does. */
    dnt?: 'respect' | 'off';
    /** Hosts of the same site, separated by commas, whose links carry the visitor over. */
    linkHosts?: string;
    /** `off`: pixels on the page are not told of conversions. */
    twins?: 'on' | 'off';
    /** `on`: summaries hold a map of where the pointer dwelt. */
    heatmap?: 'on' | 'off';
    /**
     * Clicks, milliseconds and pixels between two of them that make a rage click: [3, 1000, 30].
     */
    rage?: [clicks: number, milliseconds: number, pixels: number];
    /** Milliseconds after which a click without any effect is dead: 2500. */
    dead?: number;
}

/** What the engine thinks of the visitor. */
export interface Score {
    /** Readiness, 0 to 100. */
    score: number;
    band: 'cold' | 'warm' | 'hot';
    /** One of the seven buyer types; null while it is not certain enough. */
    profile: string | null;
    /** How certain the profile is, 0 to 1. */
    confidence: number;
    /** How likely a conversion is, 0 to 1. */
    likelihood: number;
    /** Epoch milliseconds. */
    updated: number;
}

/** `window.hg` */
export interface Heliograph {
    /**
     * The visitor's choice, remembered on the device; it replaces the tag's `data-consent`. Taking
     * bits back deletes what they allowed, on the device and in the engine. `explicit` says that
     * the visitor chose here, knowing that the browser refuses for all sites (Global Privacy
     * Control).
     */
    (command: 'consent', bits: ConsentBits, options?: { explicit?: boolean }): void;
    /** Only before the script has loaded. */
    (command: 'config', options: Options): void;
    /** Something that happened, by its name (at most 64 characters). */
    (command: 'track', name: string, properties?: Properties): void;
    /** The same for an event of this name: `hg('purchase', { value: 30, currency: 'EUR' })`. */
    (command: EcommerceEvent, properties?: Properties): void;
    /**
     * Who the visitor is, by a hash that your server made (`h1:` and an HMAC-SHA256 in hexadecimal
     * digits is the custom): at most 96 letters, digits and `_ . : -`. A raw address is refused.
     * With a `pepper` of your site the value is trimmed, lower-cased and hashed in the page instead
     * (`p1:` and SHA-256; needs https); what you passed never leaves it.
     */
    (command: 'identify', user: string, traits?: Properties, options?: { pepper?: string }): void;
    /** A new page is shown; needed only with `data-spa="off"`. */
    (command: 'page'): void;
    /** Is told the visitor's score after each batch that the engine answers with one. */
    (command: 'onScore', listener: (score: Score) => void): void;
    /** Hands over the parameter for a link to another domain of the site that a script builds. */
    (command: 'linkParam', take: (parameter: string) => void): void;
    /** The same, once the script has loaded. */
    onScore?(listener: (score: Score) => void): void;
    /** `_hg=…`, good for two minutes; empty without consent to linking (8) and storage (2). */
    linkParam?(): string;
    /** Whether the script has taken over from the snippet. */
    readonly ready?: boolean;
}

/** Of the module: begins to watch this page. Once only; false when the options name no site. */
export function start(options: Options): boolean;
/** Of the module: what `window.hg` is otherwise. Calls before `start` wait. */
export const hg: Heliograph;
/** `hg('track', …)` */
export function track(name: string, properties?: Properties): void;
/** `hg('identify', …)` */
export function identify(user: string, traits?: Properties, options?: { pepper?: string }): void;
/** `hg('consent', …)` */
export function consent(bits: ConsentBits, options?: { explicit?: boolean }): void;
/** `hg('page')` */
export function page(): void;
/** `hg('onScore', …)` */
export function onScore(listener: (score: Score) => void): void;
/** `hg.linkParam()`; empty before `start`. */
export function linkParam(): string;

declare global {
    interface Window {
        hg: Heliograph;
    }
}
