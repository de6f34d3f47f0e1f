// The live page: a list of the newest visitors, kept fresh by server-sent events.
import { makeCard } from './card.js';
import { listen, readVisitor, readVisitors } from './feed.js';
import { keepMinutes } from './minutes.js';

const CARDS_MAXIMUM = 20;
const DETAIL_PAUSE_MILLISECONDS = 1000;
const REFRESH_MILLISECONDS = 30_000;
const AGE_MILLISECONDS = 5_000;
const SPEECH_MILLISECONDS = 30_000;

const place = (id) => document.getElementById(id);
const list = place('cards');

/** Visitor id → { card, seen, fetchedAt, fetchTimer, band }. This module owns every entry. */
const visitors = new Map();
let paused = false;
let waiting = new Map();
let spokeAt = -Infinity;

/** The shop sets this cookie on the same host: so we can say which visitor sits right here. */
function ownDevice() {
    const pair = document.cookie.split('; ').find((text) => text.startsWith('_hg_d='));
    return pair ? pair.slice('_hg_d='.length) : '';
}

function isBusy() {
    return list.matches(':hover') || list.contains(document.activeElement);
}

function entryOf(visitor) {
    let entry = visitors.get(visitor);
    if (!entry) {
        entry = { card: makeCard(visitor), seen: 0, fetchedAt: -Infinity, fetchTimer: 0, band: '' };
        visitors.set(visitor, entry);
        list.prepend(entry.card.element);
        dropOldest();
    }
    entry.card.setOwn(visitor === ownDevice());
    return entry;
}

function dropOldest() {
    while (list.children.length > CARDS_MAXIMUM) {
        const last = list.lastElementChild;
        const [visitor, entry] = [...visitors].find(([, known]) => known.card.element === last);
        clearTimeout(entry.fetchTimer);
        visitors.delete(visitor);
        last.remove();
    }
}

function showCount() {
    const empty = visitors.size === 0;
    place('empty').hidden = !empty;
    place('heading').hidden = empty;
    const hot = [...visitors.values()].filter((entry) => entry.band === 'hot').length;
    const people = visitors.size === 1 ? '1 visitor' : visitors.size + ' visitors';
    place('count').textContent = hot ? `${people}, ${hot} hot` : people;
}

/** Speaks of a changed band, seldom: a screen reader must not be flooded. */
function speak(entry, band) {
    const changed = entry.band && entry.band !== band;
    if (!changed || performance.now() - spokeAt < SPEECH_MILLISECONDS) return;
    spokeAt = performance.now();
    place('announcer').textContent = `${entry.card.name} is now ${band}.`;
}

function apply(values) {
    const entry = entryOf(values.visitor);
    entry.seen = values.seen || values.updated || entry.seen;
    speak(entry, values.band);
    entry.band = values.band;
    entry.card.show(values);
    showCount();
}

/** Reads the whole visitor, at most once a second, so that the signals follow the score. */
function readSoon(visitor) {
    const entry = visitors.get(visitor);
    if (!entry || entry.fetchTimer) return;
    const wait = Math.max(0, entry.fetchedAt + DETAIL_PAUSE_MILLISECONDS - performance.now());
    entry.fetchTimer = setTimeout(async () => {
        entry.fetchTimer = 0;
        entry.fetchedAt = performance.now();
        try {
            const values = await readVisitor(visitor);
            if (!paused && visitors.get(visitor) === entry) apply(values);
            complain('');
        } catch (error) {
            complain(`The details of a visitor could not be read (${error.message}).`);
        }
    }, wait);
}

function scoreChanged(values) {
    const isNew = !visitors.has(values.visitor);
    // A card that appears would push the one somebody reads: it waits behind a button.
    if (paused || (isNew && visitors.size > 0 && isBusy())) {
        waiting.set(values.visitor, values);
        showWaiting();
        return;
    }
    apply(values);
    readSoon(values.visitor);
}

function showWaiting() {
    const fresh = [...waiting.keys()].filter((visitor) => !visitors.has(visitor)).length;
    place('newer').hidden = fresh === 0 || paused;
    place('newer').textContent = fresh === 1 ? 'Show 1 newer' : `Show ${fresh} newer`;
}

function releaseWaiting() {
    const released = waiting;
    waiting = new Map();
    for (const values of released.values()) scoreChanged(values);
    showWaiting();
}

function complain(text) {
    const problem = place('problem');
    if (problem.textContent !== text) problem.textContent = text;
    problem.hidden = text === '';
}

/** Puts the cards in the order of their last sign of life, unless somebody is reading. */
function sortCards() {
    if (isBusy()) return;
    const sorted = [...visitors.values()].sort((left, right) => right.seen - left.seen);
    sorted.forEach((entry, index) => {
        if (list.children[index] !== entry.card.element) {
            list.insertBefore(entry.card.element, list.children[index] || null);
        }
    });
}

async function refresh() {
    if (paused || document.hidden) return;
    try {
        const found = await readVisitors(CARDS_MAXIMUM);
        for (const values of found.reverse()) apply(values);
        sortCards();
        complain('');
    } catch (error) {
        complain(`The visitors could not be read (${error.message}). Trying again by itself.`);
    }
    list.removeAttribute('aria-busy');
    showCount();
}

function showState(state) {
    const words = {
        live: 'Live', connecting: 'Connecting…', lost: 'Reconnecting…', paused: 'Paused',
    };
    const shown = paused ? 'paused' : state;
    document.querySelector('.state').dataset.state = shown;
    place('state').textContent = words[shown];
}

function start() {
    let state = 'connecting';
    listen({
        onState(next) {
            // What happened while the line was down is read once it is back.
            if (next === 'live' && state === 'lost') refresh();
            state = next;
            showState(state);
        },
        onScore: scoreChanged,
    });
    place('pause').addEventListener('click', () => {
        paused = !paused;
        place('pause').setAttribute('aria-pressed', String(paused));
        place('pause').textContent = paused ? 'Go on' : 'Pause';
        showState(state);
        if (!paused) releaseWaiting();
    });
    place('newer').addEventListener('click', () => {
        place('visitors').focus({ preventScroll: true });
        releaseWaiting();
    });
    list.addEventListener('pointerleave', () => {
        if (!paused) releaseWaiting();
    });
    document.addEventListener('visibilitychange', refresh);
    setInterval(refresh, REFRESH_MILLISECONDS);
    keepMinutes(() => paused);
    setInterval(() => visitors.forEach((entry) => entry.card.showAge()), AGE_MILLISECONDS);
    refresh();
}

start();
