import './world';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { configOf, isOff, isOn, optionsOf } from '../src/core/config';
import { applyChoice, choiceIn, effectiveConsent, neededConsent } from '../src/core/consent';
import { makeIdentity } from '../src/core/identity';
import { base64url, isIdentifier, uuid7 } from '../src/core/ids';
import { bodyOf, makeOutbox, utf8Length } from '../src/core/outbox';
import { isUrgent } from '../src/core/api';
import { BATCH_EVENTS, EVENT_BYTES, MEMORY_EVENTS } from '../src/core/limits';
import { boundedProps } from '../src/core/props';
import { backoffMilliseconds, isWorthRetrying, retryAfterMilliseconds } from '../src/core/retry';
import { SESSION_GAP_MILLISECONDS, sessionAt } from '../src/core/session';
import { cookieIn } from '../src/core/storage';
import { makeTransport } from '../src/core/transport';

function shelf() {
    const values = new Map<string, string>();
    return {
        values,
        recall: (key: string) => values.get(key) ?? null,
        store: (key: string, value: string) => void values.set(key, value),
        forget: (key: string) => void values.delete(key),
    };
}
const shelves = () => ({ cookie: shelf(), local: shelf(), tab: shelf() });

test('base64url agrees with Node for every length up to 64', () => {
    for (let length = 0; length <= 64; length++) {
        const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length * 11) % 256);
        assert.equal(base64url(bytes), Buffer.from(bytes).toString('base64url'));
    }
});

test('ids are UUIDv7: time in front, version and variant in place, 22 characters, distinct', () => {
    const now = 1_795_000_000_123;
    const seen = new Set<string>();
    for (let round = 0; round < 1000; round++) {
        const id = uuid7(now);
        const bytes = Buffer.from(id, 'base64url');
        assert.equal(bytes.readUIntBE(0, 6), now);
        assert.equal(bytes[6] >> 4, 7);
        assert.equal(bytes[8] >> 6, 2);
        assert.ok(isIdentifier(id));
        seen.add(id);
    }
    assert.equal(seen.size, 1000);
    assert.ok(uuid7(now) < uuid7(now + 2 ** 32));
    for (const wrong of ['', 'x'.repeat(21), 'x'.repeat(23), '+'.repeat(22), 7, null]) {
        assert.equal(isIdentifier(wrong), false);
    }
});

test('global privacy control clears what may be refused, and nothing else', () => {
    assert.equal(effectiveConsent(63, false), 63);
    assert.equal(effectiveConsent(63, true), 3);
    assert.equal(effectiveConsent(255, false), 63);
});

test('behaviour needs measurement and profiling, a refusal needs nothing', () => {
    assert.deepEqual(['pv', 'ck', 'cu', 'id'].map(neededConsent), [1, 1, 1, 1]);
    assert.deepEqual(['ps', 'fm', 'nv'].map(neededConsent), [5, 5, 5]);
    assert.equal(neededConsent('cs'), 0);
});

test('a session ends after half an hour, or when the clock went back that far', () => {
    let made = 0;
    const make = () => `s${++made}`;
    const first = sessionAt(null, 1000, make);
    assert.equal(sessionAt(first, 1000 + SESSION_GAP_MILLISECONDS - 1, make).id, 's1');
    assert.equal(sessionAt(first, 1000 + SESSION_GAP_MILLISECONDS, make).id, 's2');
    assert.equal(sessionAt({ id: 'old', at: 9e12 }, 1000, make).id, 's3');
    assert.equal(sessionAt(first, 5000, make).at, 5000);
});

test('an answer is final, or worth another try', () => {
    for (const status of [0, 408, 425, 429, 500, 502, 503, 504]) assert.ok(isWorthRetrying(status));
    for (const status of [200, 202, 204, 301, 400, 401, 403, 404, 413, 415, 422])
        assert.equal(isWorthRetrying(status), false);
});

test('the wait doubles with jitter, ends at five minutes, and is never below Retry-After', () => {
    assert.equal(backoffMilliseconds(1, 0, 0), 500);
    assert.equal(backoffMilliseconds(1, 0, 0.5), 1000);
    assert.equal(backoffMilliseconds(4, 0, 0.75), 10_000);
    assert.equal(backoffMilliseconds(40, 0, 0.5), 300_000);
    assert.equal(backoffMilliseconds(1, 7000, 0.5), 7000);
    assert.equal(retryAfterMilliseconds('3'), 3000);
    for (const silly of [null, '', 'soon']) assert.equal(retryAfterMilliseconds(silly), 0);
    assert.equal(retryAfterMilliseconds('999999'), 300_000);
});

test('the length of a text in UTF-8 agrees with the encoder', () => {
    for (const text of ['', 'abc', 'é', 'ß€', '日本', '😀 ok']) {
        assert.equal(utf8Length(text), Buffer.byteLength(text), JSON.stringify(text));
    }
});

const head = (lost: number) => `"lost":${lost}`;

test(
    'an outbox is full at 32 events or before 24 KB, and no batch passes the format limits', () => {
        const outbox = makeOutbox();
        for (let round = 0; round < BATCH_EVENTS; round++) {
            assert.equal(outbox.isFull(), false);
            outbox.put('{}');
        }
        assert.equal(outbox.isFull(), true);
        outbox.sealUp(0, head);
        while (!outbox.isFull()) outbox.put('x'.repeat(EVENT_BYTES - 1));
        outbox.sealUp(0, head);
        const sizes = outbox.queued().map((batch) => bodyOf(batch, 1, 2).length);
        assert.ok(Math.max(...sizes) <= 24 * 1024, String(sizes));
    });

test('an event over its limit is lost and said to be', () => {
    const outbox = makeOutbox();
    outbox.put('x'.repeat(EVENT_BYTES));
    outbox.put('{}');
    outbox.sealUp(0, head);
    assert.equal(outbox.queued()[0].h, '"lost":1');
});

test('the queue is bounded: the oldest batch goes first, never one under way, and loss is counted',
    () => {
        const outbox = makeOutbox();
        const batch = () => {
            for (let round = 0; round < BATCH_EVENTS; round++) outbox.put('{}');
            outbox.sealUp(0, head);
        };
        batch();
        outbox.queued()[0].flying = true;
        for (let round = 0; round < 40; round++) batch();
        const kept = outbox.queued().length * BATCH_EVENTS;
        assert.ok(kept <= MEMORY_EVENTS && kept > MEMORY_EVENTS - 2 * BATCH_EVENTS);
        outbox.put('{}');
        let told = 0;
        outbox.sealUp(0, (lost) => {
            told = lost;
            return '';
        });
        const accounted
            = outbox.queued().reduce((sum, one) => sum + (Number(one.h.slice(7)) || 0), 0);
        assert.equal(accounted + told + kept + BATCH_EVENTS, 41 * BATCH_EVENTS);
    });

test('a batch keeps its content over tries, and only its send times change', () => {
    const outbox = makeOutbox();
    outbox.put('{"n":1}');
    outbox.sealUp(0, () => '"b":"id"');
    const [batch] = outbox.queued();
    assert.deepEqual(
        JSON.parse(bodyOf(batch, 10.4, 20.6)), { b: 'id', st: 10, mt: 21, e: [{ n: 1 }] });
    assert.deepEqual(JSON.parse(bodyOf(batch, 30, 40)), { b: 'id', st: 30, mt: 40, e: [{ n: 1 }] });
});

function world(statuses: number[]) {
    const state = {
        now: 0,
        sent: [] as string[],
        beacons: [] as string[],
        beaconAnswer: true,
        online: true,
        answer: null as unknown,
        urls: [] as string[],
        timers: [] as [number, () => void][]
    };
    Date.now = performance.now = () => state.now;
    Math.random = () => 0.5;
    const outbox = makeOutbox();
    const sender = makeTransport('/v1/e', outbox, {
        post: (url, init) => {
            state.urls.push(url);
            state.sent.push(String(init.body));
            const status = statuses.length ? statuses.shift()! : 204;
            if (status < 0) return new Promise(() => undefined);
            return status ? Promise.resolve({
                status, headers: { get: () => null }, json: () => Promise.resolve(state.answer),
            }) :
                            Promise.reject(Error('down'));
        },
        beacon: (_, body) => {
            if (state.beaconAnswer) state.beacons.push(body);
            return state.beaconAnswer;
        },
        isOnline: () => state.online,
        later: (wait, action) => void state.timers.push([state.now + wait, action]),
    });
    const add = (bytes = 10) => {
        while (bytes > 0) {
            outbox.put('"' + 'x'.repeat(Math.min(bytes, 4000)) + '"');
            bytes -= 4000;
        }
        outbox.sealUp(state.now, () => '');
    };
    const pass = async (milliseconds: number) => {
        state.now += milliseconds;
        const due = state.timers.filter(([at]) => at <= state.now);
        state.timers = state.timers.filter(([at]) => at > state.now);
        due.forEach(([, action]) => action());
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    };
    return { state, outbox, sender, add, pass };
}

test('a failing batch is tried eight times and then given up', async () => {
    const { state, outbox, sender, add, pass } = world(Array(20).fill(503));
    add();
    sender.pump();
    for (let round = 0; round < 20; round++) await pass(300_001);
    assert.equal(state.sent.length, 8);
    assert.equal(outbox.queued().length, 0);
});

test('a score is asked for while somebody listens, and told', async () => {
    const { state, sender, add, pass } = world([204, 200, 204]);
    add();
    sender.pump();
    await pass(0);
    const scores: unknown[] = [];
    sender.scored = (score) => scores.push(score);
    state.answer = { score: 73.2 };
    for (let round = 0; round < 2; round++) {
        add();
        sender.pump();
        await pass(0);
    }
    assert.deepEqual(state.urls, ['/v1/e', '/v1/e?want=score', '/v1/e?want=score']);
    assert.deepEqual(scores, [{ score: 73.2 }]);
});

test('while sending fails, the device is a better place than a beacon that nobody hears of', () => {
    const { state, outbox, sender, add } = world([]);
    state.online = false;
    add();
    let kept = true;
    const calls: boolean[] = [];
    sender.keep = (last) => {
        calls.push(last);
        return kept;
    };
    sender.handOver(true);
    assert.deepEqual([state.beacons.length, outbox.queued().length, calls], [0, 1, [true]]);
    kept = false;
    sender.handOver(true);
    assert.deepEqual([state.beacons.length, outbox.queued().length], [1, 0]);
});

test('during a pause nothing is sent, and coming back online ends it', async () => {
    const { state, sender, add, pass } = world([0]);
    add();
    sender.pump();
    await pass(0);
    sender.pump();
    await pass(100);
    assert.equal(state.sent.length, 1);
    sender.goOn();
    await pass(0);
    assert.equal(state.sent.length, 2);
});

test('batches go one after another, in order', async () => {
    const { state, sender, add, pass } = world([]);
    add(10);
    add(20);
    add(30);
    sender.pump();
    assert.equal(state.sent.length, 1);
    await pass(0);
    assert.deepEqual(state.sent.map((body) => body.length),
        state.sent.map((body) => body.length).sort((a, b) => a - b));
    assert.equal(state.sent.length, 3);
});

test('at the end of a page beacons go first; a refused one stays if nothing else takes it', () => {
    const { state, outbox, sender, add } = world(Array(9).fill(-1));
    for (let round = 0; round < 4; round++) add(20_000);
    sender.handOver(true);
    assert.equal(state.beacons.length, 4);
    state.beaconAnswer = false;
    for (let round = 0; round < 4; round++) add(20_000);
    sender.handOver(true);
    assert.equal(state.sent.length, 2, 'two fit under the keepalive budget');
    assert.equal(outbox.queued().length, 2, 'the others are kept, not believed to be sent');
});

test('hiding uses keepalive within the budget and beacons beyond it', () => {
    const { state, outbox, sender, add } = world(Array(9).fill(-1));
    for (let round = 0; round < 4; round++) add(20_000);
    sender.handOver(false);
    assert.deepEqual([state.sent.length, state.beacons.length, outbox.queued().length], [2, 2, 0]);
});

test('nothing is on the device before consent, and nothing after its withdrawal', () => {
    const places = shelves();
    const identity = makeIdentity('k', places);
    identity.session(1000);
    assert.equal(identity.device(), null);
    const size
        = () => places.cookie.values.size + places.local.values.size + places.tab.values.size;
    assert.equal(size(), 0);
    identity.allowStorage();
    identity.session(2000);
    assert.ok(isIdentifier(identity.device()));
    assert.equal(size(), 5);
    identity.forgetStorage();
    identity.session(3000);
    assert.equal(identity.device(), null);
    assert.equal(size(), 0);
});

test('the session known before consent goes on after it', () => {
    const identity = makeIdentity('k', shelves());
    const before = identity.session(1000);
    identity.allowStorage();
    assert.equal(identity.session(2000), before);
});

test('the next page of a tab counts on; a duplicate and a crash begin anew', () => {
    const places = shelves();
    const first = makeIdentity('k', places);
    first.allowStorage();
    first.tab.n = 7;
    const duplicate = makeIdentity('k', places);
    duplicate.allowStorage();
    assert.notEqual(duplicate.tab.w, first.tab.w);
    first.leave();
    const next = makeIdentity('k', places);
    next.allowStorage();
    assert.deepEqual([next.tab.w, next.tab.n, next.tab.live], [first.tab.w, 7, 1]);
    const afterCrash = makeIdentity('k', places);
    afterCrash.allowStorage();
    assert.notEqual(afterCrash.tab.w, first.tab.w);
    assert.equal(afterCrash.device(), first.device());
});

test('damaged values on the device are replaced', () => {
    const places = shelves();
    places.cookie.store('_hg_d', 'short');
    places.local.store('_hg.k.s', '{"id":');
    places.tab.store('_hg.k.w', '{"w":"x","n":-1}');
    const identity = makeIdentity('k', places);
    identity.allowStorage();
    assert.ok(isIdentifier(identity.device()));
    assert.ok(isIdentifier(identity.session(1)));
    assert.equal(identity.tab.n, 0);
});

test('cookies are found by their whole name', () => {
    assert.equal(cookieIn('a_hg_d=1; _hg_d=2; _hg_dd=3', '_hg_d'), '2');
    assert.equal(cookieIn('', '_hg_d'), null);
});

test('properties are cut to 32 keys and 2 KB, whole keys at a time', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => ['k' + index, index]));
    assert.equal(Object.keys(boundedProps(many)!).length, 32);
    const given = { big: 'x'.repeat(3000), small: 1, gone: undefined };
    assert.deepEqual(boundedProps(given), { small: 1 });
    assert.deepEqual(boundedProps({ small: 1, big: 'x'.repeat(3000) }), { small: 1 });
    for (const wrong of [null, 3, 'text', [1], {}]) assert.equal(boundedProps(wrong), undefined);
    assert.ok(isUrgent('purchase') && isUrgent('generate_lead') && !isUrgent('view_item'));
    const ring: { self?: unknown } = {};
    ring.self = ring;
    assert.deepEqual(boundedProps({ ring, big: 1n, small: 1 }), { small: 1 });
});

test('the tag is read strictly', () => {
    const tag = (dataset: { [name: string]: string }) =>
        configOf(optionsOf({ src: 'https://in.example/x/hg.js', dataset }));
    assert.equal(tag({}), null);
    assert.equal(tag({ key: 'no spaces' }), null);
    const plain = tag({ key: 'pk_1' })!;
    assert.deepEqual([plain.beaconUrl, plain.granted], ['https://in.example/v1/e', 1]);
    const full = tag({ key: 'a', consent: '15', endpoint: '/e', spa: 'off' })!;
    assert.deepEqual([full.beaconUrl, full.granted, isOff(full.options.spa)], ['/e', 15, true]);
    for (const consent of ['', 'x', '-1', '64']) {
        assert.equal(tag({ key: 'a', consent })!.granted, 1);
    }
    const words = ['', 'on', true, 'off', undefined];
    assert.deepEqual(words.map(isOn), [true, true, true, false, false]);
});

test('a choice is known again, and an explicit one stands against the browser', () => {
    assert.equal(choiceIn(['consent', 15]), '15');
    assert.equal(choiceIn(['consent', '255', { explicit: true }]), '63.1');
    for (const none of [['consent'], ['consent', 'x'], ['consent', -1], ['track', 1]])
        assert.equal(choiceIn(none), '');
    const config = configOf({ key: 'a', dnt: '' })!;
    const refusing = { globalPrivacyControl: true };
    Object.assign(navigator, refusing);
    assert.equal(applyChoice(config, '63'), 3);
    assert.equal(applyChoice(config, '63.1'), 63);
    Object.assign(navigator, { globalPrivacyControl: false, doNotTrack: '1' });
    assert.equal(applyChoice(config, '63'), 3);
    assert.equal(applyChoice(configOf({ key: 'a' })!, '63'), 63);
    Object.assign(navigator, { doNotTrack: '0' });
});
