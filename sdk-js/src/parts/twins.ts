import { ADVERTISING, LINKING } from '../core/bits';
import { isOff } from '../core/config';
import { canonical } from '../core/conversions';
import { page } from '../core/natives';
import type { Site } from '../core/site';
import { attempt } from '../core/storage';
import type { Bag } from '../outside';
import { GOOGLE, META } from './limits';

interface Names { [name: string]: string }

/** Words as a table; `ours:theirs` where a platform calls a thing otherwise. */
const names = (words: string): Names => {
    const table: Names = {};
    for (const word of words.split(' ')) {
        const [ours, theirs = ours] = word.split(':');
        table[ours] = theirs;
    }
    return table;
};

const GOOGLE_NAMES = names('view_content:view_item initiate_checkout:begin_checkout '
    + 'lead:generate_lead complete_registration:sign_up');

/** What goes along, by its name with us; nothing else of a conversion's properties is told. */
const PROPERTIES = [
    names('value currency order_id transaction_id:order_id status content_name plan:content_name '
        + 'predicted_ltv search_term:search_string'),
    names('value currency order_id:transaction_id transaction_id coupon tax shipping affiliation '
        + 'status content_name plan:item_id method payment_type search_term'),
];

const ITEMS = [
    names('sku:id item_id:id id name:title item_name:title price:item_price quantity brand '
        + 'category'),
    names('sku:item_id id:item_id item_id name:item_name item_name price quantity brand:item_brand '
        + 'category:item_category variant:item_variant'),
];

/** Members of `given` under a platform's names. */
const renamed = (given: Bag, table: Names): Bag => {
    const told: Bag = {};
    for (const name of Object.keys(table)) {
        const value = given[name];
        if (/string|number/.test(typeof value)) told[table[name]] = value;
    }
    return told;
};

/** What Meta (0) or Google (1) is told of a conversion's properties. */
export const twinProperties = (given: Bag, platform: 0 | 1): Bag => {
    const told = renamed(given, PROPERTIES[platform]);
    const items = given['items'] || given['products'];
    if (!Array.isArray(items)) return told;
    const things = items.map((item) => renamed(Object(item), ITEMS[platform]));
    if (platform) return { ...told, 'items': things };
    return {
        ...told, 'contents': things, 'content_type': 'product',
        'content_ids': things.map((thing) => thing['id']),
        'num_items': things.reduce((sum, thing) => sum + (Number(thing['quantity']) || 1), 0),
    };
};

/** `complete_registration` is Meta's `CompleteRegistration`. */
export const metaName = (name: string) =>
    name.replace(/(^|_)(.)/g, (_, __, letter: string) => letter.toUpperCase());

/** Ad platforms' own browser ids, which their server-side APIs ask for. */
const advertisingIds = (): { [cookie: string]: string } => {
    const found: { [cookie: string]: string } = {};
    for (const pair of document.cookie.split('; ')) {
        const [all, name, value] = /^(_ga|_ga_\w{1,20}|_fbp|_fbc)=(.*)/.exec(pair) || [];
        if (all) found[name] = value.slice(0, 128);
    }
    return found;
};

/**
 * Tells pixels that are on the page of each conversion, with the event id that the engine uses, so
 * that the platforms count both once.
 */
export const twinPixels = (site: Site): void => {
    const { allows } = site.tracker;
    site.tracker.pixelIds = () => (allows(ADVERTISING) ? advertisingIds() : undefined);
    if (isOff(site.config.options.twins)) return;
    site.twin = (event, given, id) => {
        const name = canonical(event);
        const { fbq, gtag } = page;
        const bag = Object(given) as Bag;
        let told = 0;
        if (!name || !allows(LINKING)) return told;
        // A pixel's fault is not the site's.
        const tell = (bit: number, call: () => void) => attempt(() => {
            call();
            told |= bit;
        });
        if (fbq && allows(ADVERTISING)) tell(META, () =>
            fbq('track', metaName(name), twinProperties(bag, 0), { 'eventID': id }));
        if (gtag) tell(GOOGLE, () => gtag('event', GOOGLE_NAMES[name] || name,
            { ...twinProperties(bag, 1), 'event_id': id }));
        return told;
    };
};
