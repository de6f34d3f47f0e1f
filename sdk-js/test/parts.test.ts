import './world';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { canonical, CANONICAL } from '../src/core/conversions';
import { makeOutbox } from '../src/core/outbox';
import type { Site } from '../src/core/site';
import type { LockManager } from '../src/outside';
import { normal, sha256 } from '../src/parts/hashes';
import { keepQueue } from '../src/parts/keep';
import { idIn, linkedUrl, linkToken, unlinkedUrl } from '../src/parts/links';
import { metaName, twinPixels, twinProperties } from '../src/parts/twins';

const ID = 'AZq3kQ7mQAa_bcdefghij-';
const AGENT = 'Mozilla/5.0 (X11; Linux) Firefox/153.0';

test('a link token holds for two minutes, for this site and this browser', () => {
    const token = linkToken('pk', ID, 1000, AGENT);
    assert.equal(idIn(token, 'pk', 1100, AGENT), ID);
    assert.equal(idIn(token, 'pk', 1100, AGENT.replace('153', '154')), ID);
    assert.equal(idIn(token, 'pk', 1121, AGENT), null);
    assert.equal(idIn(token, 'other', 1100, AGENT), null);
    assert.equal(idIn(token, 'pk', 1100, 'Chrome'), null);
    assert.equal(idIn(token.replace(ID, ID.replace('AZ', 'BZ')), 'pk', 1100, AGENT), null);
    for (const odd of ['', '1', '1.x.y', '1...', 'a.b.c.d.e']) {
        assert.equal(idIn(odd, 'pk', 1100, AGENT), null);
    }
});

test('the parameter goes before the fragment, and comes off without a trace', () => {
    const addresses = ['/a', '/a?b=1', '/a#top', 'https://x.example/a?b=1&c#/route?d=2'];
    for (const address of addresses) {
        const linked = linkedUrl(address, '_hg=1.t');
        assert.equal(linked.split('#')[1], address.split('#')[1]);
        assert.deepEqual(unlinkedUrl(linked), { url: address, token: '1.t' });
    }
    assert.deepEqual(unlinkedUrl('/a?_hg=1.t&b=2#c'), { url: '/a?b=2#c', token: '1.t' });
    assert.deepEqual(unlinkedUrl('/a?x_hg=1'), { url: '/a?x_hg=1', token: '' });
});

test('conversions have one canonical name, and views of pages are none', () => {
    assert.equal(CANONICAL.split(' ').length, 18);
    const names = ['view_item', 'purchase', 'sign_up', 'page_view', 'constructor', 'other'];
    assert.deepEqual(names.map(canonical),
        ['view_content', 'purchase', 'complete_registration', '', '', '']);
    assert.deepEqual(['purchase', 'add_to_cart', 'complete_registration'].map(metaName),
        ['Purchase', 'AddToCart', 'CompleteRegistration']);
});

test('pixels are told what they know, and nothing else', () => {
    const given = {
        value: 30, currency: 'EUR', transaction_id: 'T1', email: 'a@b.example', coupon: 'SPRING',
        items: [{ sku: 'one', name: 'One', price: 10, quantity: 3, note: 'x' }],
    };
    assert.deepEqual(twinProperties(given, 0), {
        value: 30, currency: 'EUR', order_id: 'T1', content_type: 'product', content_ids: ['one'],
        num_items: 3, contents: [{ id: 'one', title: 'One', item_price: 10, quantity: 3 }],
    });
    assert.deepEqual(twinProperties(given, 1), {
        value: 30, currency: 'EUR', transaction_id: 'T1', coupon: 'SPRING',
        items: [{ item_id: 'one', item_name: 'One', price: 10, quantity: 3 }],
    });
});

function twinSite(consent: number, options = {}) {
    const site = {
        config: { options },
        tracker: { allows: (bits: number) => (consent & bits) === bits },
    };
    twinPixels(site as unknown as Site);
    return site as unknown as Site;
}

test('a twin is sent once, with the engine\'s event id, if the pixel\'s consent is there', () => {
    const calls: unknown[][] = [];
    const pixels = window as unknown as { [name: string]: unknown };
    pixels['fbq'] = (...given: unknown[]) => calls.push(given);
    pixels['gtag'] = (...given: unknown[]) => calls.push(given);
    assert.equal(twinSite(63).twin!('sign_up', undefined, 'w-7'), 3);
    assert.deepEqual(calls, [
        ['track', 'CompleteRegistration', {}, { eventID: 'w-7' }],
        ['event', 'sign_up', { event_id: 'w-7' }],
    ]);
    assert.equal(twinSite(15).twin!('purchase', {}, 'w-8'), 2);
    assert.equal(twinSite(7).twin!('purchase', {}, 'w-9'), 0);
    assert.equal(twinSite(63).twin!('scrolled', {}, 'w-9'), 0);
    assert.equal(twinSite(63, { twins: 'off' }).twin, undefined);
    pixels['fbq'] = () => { throw Error('blocked'); };
    assert.equal(twinSite(63).twin!('purchase', {}, 'w-10'), 2);
    delete pixels['fbq'];
    delete pixels['gtag'];
    assert.equal(twinSite(63).twin!('purchase', {}, 'w-11'), 0);
});

test('hashes are those of everybody else', async () => {
    const expected = createHash('sha256').update('ann@shop.example').digest('hex');
    assert.equal(await sha256(normal('  Ann@Shop.Example ')), expected);
});

/** `localStorage` and `navigator.locks` that several pages share. */
function device() {
    const values = new Map<string, string>();
    const storage = new Proxy({
        getItem: (key: string) => values.get(key) ?? null,
        setItem: (key: string, value: string) => void values.set(key, value),
        removeItem: (key: string) => void values.delete(key),
    }, {
        ownKeys: () => [...values.keys()],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    });
    Object.assign(globalThis, { localStorage: storage });
    const held = new Set<string>();
    const locks: LockManager = {
        async request(name, options, use) {
            if (held.has(name) && options.ifAvailable) return use(null);
            held.add(name);
            await use({});
            held.delete(name);
        },
    };
    Object.assign(navigator, { locks });
    return values;
}

function page(w: string, consent = 3) {
    const outbox = makeOutbox();
    const timers: (() => void)[] = [];
    const site = {
        config: { siteKey: 'k', beaconUrl: '/v1/e' }, outbox,
        tracker: {
            allows: (bits: number) => (consent & bits) === bits,
            guard: { later: (_: number, __: string, act: () => void) => timers.push(act) },
            identity: { prefix: '_hg.k.', tab: { w } },
        },
        sender: { keep: null as ((last: boolean) => boolean) | null, pump: () => undefined },
        consented: [] as ((bits: number) => void)[], returned: [] as (() => void)[],
    };
    keepQueue(site as unknown as Site);
    site.consented.forEach((act) => act(consent));
    const add = (text = 'x') => {
        outbox.put(JSON.stringify(text));
        outbox.sealUp(Date.now(), () => '"v":1');
    };
    const adopt = async () => {
        timers.forEach((act) => act());
        for (let turn = 0; turn < 9; turn++) await Promise.resolve();
    };
    return { site, outbox, add, adopt, keep: (last: boolean) => site.sender.keep!(last) };
}

test('what a page could not send waits on the device, and one page alone takes it', async () => {
    const values = device();
    const first = page('w1');
    first.add();
    assert.equal(first.keep(true), true);
    assert.equal(values.size, 1);
    const [second, third] = [page('w2'), page('w3')];
    await Promise.all([second.adopt(), third.adopt()]);
    assert.equal(second.outbox.queued().length + third.outbox.queued().length, 1);
    assert.equal(values.size, 0);
});

test('a living page keeps its queue for itself, and clears it once all is sent', async () => {
    const values = device();
    const first = page('w1');
    first.add();
    first.keep(false);
    const second = page('w2');
    await second.adopt();
    assert.deepEqual([second.outbox.queued().length, values.size], [0, 1]);
    first.outbox.discard(first.outbox.queued()[0]);
    first.keep(false);
    assert.equal(values.size, 0);
});

test('a page that comes back from the cache sends only what nobody took', async () => {
    device();
    const first = page('w1');
    first.add();
    first.keep(true);
    await page('w2').adopt();
    first.site.returned.forEach((act) => act());
    assert.equal(first.outbox.queued().length, 0);
    first.add();
    first.keep(true);
    first.site.returned.forEach((act) => act());
    assert.equal(first.outbox.queued().length, 1);
});

test('the queue on the device is bounded, and what it gives up is counted', () => {
    const values = device();
    const one = page('w1');
    for (let round = 0; round < 40; round++) one.add('x'.repeat(4000));
    assert.equal(one.keep(true), true);
    assert.ok([...values.values()][0].length <= 64 * 1024);
    const kept = one.outbox.queued().length;
    let lost = 0;
    one.outbox.put('1');
    one.outbox.sealUp(0, (count) => {
        lost = count;
        return '';
    });
    assert.equal(kept + lost, 40);
    assert.ok(kept >= 14);
});

test('without consent to storage nothing is kept, and its withdrawal takes away what was', () => {
    const values = device();
    const refusing = page('w1', 1);
    refusing.add();
    assert.equal(refusing.keep(true), false);
    assert.equal(values.size, 0);
    const agreeing = page('w2');
    agreeing.add();
    agreeing.keep(true);
    values.set('_hg.other.q.x', '[]');
    agreeing.site.consented.forEach((act) => act(1));
    assert.deepEqual([...values.keys()], ['_hg.other.q.x']);
});

test('a full device, and one that forbids everything, do no harm', async () => {
    device();
    Object.assign(globalThis, {
        localStorage: new Proxy({}, {
            get: () => { throw Error('forbidden'); }, ownKeys: () => { throw Error('forbidden'); },
        }),
    });
    const one = page('w1');
    one.add();
    assert.equal(one.keep(true), false);
    await one.adopt();
    assert.equal(one.outbox.queued().length, 1);
});

test('what is older than a day is given up, and said to be', async () => {
    const values = device();
    const first = page('w1');
    first.add();
    first.keep(true);
    const [key, text] = [...values][0];
    const old = JSON.parse(text);
    old[0].t -= 25 * 3600 * 1000;
    values.set(key, JSON.stringify(old));
    const second = page('w2');
    await second.adopt();
    assert.equal(second.outbox.queued().length, 0);
    let lost = 0;
    second.outbox.put('1');
    second.outbox.sealUp(0, (count) => {
        lost = count;
        return '';
    });
    assert.equal(lost, 1);
});
