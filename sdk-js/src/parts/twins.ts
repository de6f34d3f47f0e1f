import { isOff } from '../core/config';
import { ADVERTISING, LINKING } from '../core/consent';
import { canonical } from '../core/conversions';
import { page } from '../core/natives';
import type { Site } from '../core/site';
import { cookieIn } from '../core/storage';
import type { Bag } from '../outside';

const META = 1;
const GOOGLE = 2;

/** GA4's names where they differ from ours. */
const GOOGLE_NAMES: Names = {
    'view_content': 'view_item', 'initiate_checkout': 'begin_checkout', 'lead': 'generate_lead',
    'complete_registration': 'sign_up',
};

interface Names { [name: string]: string }

/**
 * What goes along, and under which names: ours, Meta's, Google's. Nothing else of a conversion's
 * properties is told.
 */
const PROPERTIES = [
    'value,value,value', 'currency,currency,currency', 'order_id,order_id,transaction_id',
    'transaction_id,order_id,transaction_id', 'coupon,,coupon', 'tax,,tax', 'shipping,,shipping',
    'affiliation,,affiliation', 'search_term,search_string,search_term', 'status,status,status',
    'method,,method', 'payment_type,,payment_type', 'predicted_ltv,predicted_ltv,',
    'content_name,content_name,content_name', 'plan,content_name,item_id',
].map((names) => names.split(','));

const ITEM = [
    'id,id,item_id', 'sku,id,item_id', 'item_id,id,item_id', 'name,title,item_name',
    'item_name,title,item_name', 'price,item_price,price', 'quantity,quantity,quantity',
    'brand,brand,item_brand', 'category,category,item_category', 'variant,,item_variant',
].map((names) => names.split(','));

/** Members of `given` under a platform's names: `column` 1 is Meta's, 2 Google's. */
function renamed(given: Bag, table: string[][], column: number): Bag {
    const told: Bag = {};
    for (const names of table) {
        const value = given[names[0]];
        if (names[column] && (typeof value === 'string' || typeof value === 'number')) {
            told[names[column]] = value;
        }
    }
    return told;
}

/** What Meta or Google is told of a conversion's properties. */
export function twinProperties(given: Bag, column: number): Bag {
    const told = renamed(given, PROPERTIES, column);
    const items = given['items'] || given['products'];
    if (!Array.isArray(items)) return told;
    const things = items.map((item) => renamed(Object(item), ITEM, column));
    if (column === GOOGLE) return { ...told, 'items': things };
    return {
        ...told, 'contents': things, 'content_type': 'product',
        'content_ids': things.map((thing) => thing['id']),
        'num_items': things.reduce((sum, thing) => sum + (Number(thing['quantity']) || 1), 0),
    };
}

/** `complete_registration` is Meta's `CompleteRegistration`. */
export const metaName = (name: string) =>
    name.replace(/(^|_)(.)/g, (_, __, letter: string) => letter.toUpperCase());

/** Ad platforms' own browser ids, which their server-side APIs ask for. */
function advertisingIds(): { [cookie: string]: string } {
    const found: { [cookie: string]: string } = {};
    for (const pair of document.cookie.split('; ')) {
        const name = pair.split('=')[0];
        if (/^(_ga|_ga_\w{1,20}|_fbp|_fbc)$/.test(name)) {
            found[name] = (cookieIn(pair, name) || '').slice(0, 128);
        }
    }
    return found;
}

/**
 * Tells pixels that are on the page of each conversion, with the event id that the engine uses, so that
 * the platforms count both once.
 */
export function twinPixels(site: Site): void {
    const { allows } = site.tracker;
    site.tracker.pixelIds = () => (allows(ADVERTISING) ? advertisingIds() : undefined);
    if (isOff(site.config.options.twins)) return;
    site.twin = (event, given, id) => {
        const name = canonical(event);
        const { fbq, gtag } = page;
        const bag = Object(given) as Bag;
        let told = 0;
        if (!name || !allows(LINKING)) return told;
        const attempt = (bit: number, tell: () => void) => {
            try {
                tell();
                told |= bit;
            } catch {
                // A pixel's fault is not the site's.
            }
        };
        if (fbq && allows(ADVERTISING)) attempt(META, () =>
            fbq('track', metaName(name), twinProperties(bag, META), { 'eventID': id }));
        if (gtag) attempt(GOOGLE, () => gtag('event', GOOGLE_NAMES[name] || name,
            { ...twinProperties(bag, GOOGLE), 'event_id': id }));
        return told;
    };
}
