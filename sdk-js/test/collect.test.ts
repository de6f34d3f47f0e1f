import './world';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeActivity } from '../src/collect/activity';
import { makeClickBook } from '../src/collect/clickbook';
import { makeCtaBook } from '../src/collect/ctabook';
import { makeHeatBook } from '../src/collect/heatbook';
import { makeFormBook } from '../src/collect/formbook';
import { keyKind, makeKeyBook } from '../src/collect/keybook';
import { extended, moveOf } from '../src/parts/moves';
import { makePointerBook } from '../src/collect/pointerbook';
import { makeRageRule, median } from '../src/collect/rage';
import { makeScrollBook } from '../src/collect/scroll';
import { makeSectionBook } from '../src/collect/sectionbook';
import { makeTouchBook } from '../src/collect/touchbook';
import { reducedReferrer, reducedUrl } from '../src/core/url';
import { wordsIn } from '../src/collect/words';

test('active time ends 30 s after the last input, when hidden, and when blurred', () => {
    const activity = makeActivity(0, true, true);
    assert.equal(activity.activeTotal(40_000), 30_000);
    activity.input(50_000);
    assert.equal(activity.activeTotal(55_000), 35_000);
    activity.visibility(55_000, true, false);
    assert.equal(activity.activeTotal(60_000), 35_000);
    activity.visibility(62_000, true, true);
    activity.visibility(63_000, false, false);
    activity.visibility(563_000, true, true);
    assert.deepEqual(activity.take(564_000), [64_000, 57_000, 37_000, 1, 1, 507_000, 1, 564_000]);
    assert.deepEqual(activity.take(564_000), [0, 0, 0, 0, 0, 0, 0, 0]);
});

test('takes of activity add up to the whole, however often they are made', () => {
    const once = makeActivity(0, true, true);
    const often = makeActivity(0, true, true);
    const sum = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let now = 1000; now <= 90_000; now += 1000) {
        for (const activity of [once, often]) {
            if (now % 7000 === 0) activity.input(now);
            if (now % 11_000 === 0) activity.visibility(now, now % 22_000 !== 0, true);
        }
        often.take(now).forEach((value, index) => (sum[index] += value));
    }
    assert.deepEqual(sum, once.take(90_000));
});

test('a stop between bursts is a pause from 0.7 s to 20 s, long from 3 s, with a section in view',
    () => {
        const book = makeScrollBook(0);
        const gaps = [100, 699, 700, 2999, 3000, 20_000, 20_001];
        let now = 0;
        let offset = 0;
        book.moved(now, (offset += 50), 0.1, true);
        for (const gap of gaps) book.moved((now += gap), (offset += 50), 0.1, true);
        book.moved((now += 5000), (offset += 50), 0.9, false);
        const taken = book.take(now + 1000, true, true);
        assert.deepEqual(taken, [450, 100, 500, 0, 5, 2, 0, 90]);
    });

test('scrolling back is counted in pixels, turning around with a 10 px dead band', () => {
    const book = makeScrollBook(100);
    [150, 145, 151, 120, 110, 180].forEach(
        (offset, index) => book.moved(index * 50, offset, 0.5, false));
    const taken = book.take(1000, false, false);
    assert.equal(taken[3], 5 + 31 + 10);
    assert.equal(taken[6], 2);
});

test('a section qualifies after an unbroken second and its dwell is active time up to 30 s', () => {
    const book = makeSectionBook();
    book.add('pricing', 100);
    book.seen(0, 0, 0, 0.6, true);
    book.seen(900, 900, 0, 0.2, false);
    assert.deepEqual(book.take(1000, 1000), []);
    book.seen(2000, 2000, 0, 0.8, true);
    assert.deepEqual(book.take(5000, 4500), [[0, 'pricing', 1, 2500, 80, 100, 0, 0]]);
    assert.deepEqual(book.take(60_000, 50_000), [[0, 'pricing', 0, 27_500, 80, 100, 0, 0]]);
    assert.deepEqual(book.take(90_000, 80_000), []);
});

test('a revisit needs another section in between, and three count', () => {
    const book = makeSectionBook();
    book.add('a', 0);
    book.add('b', 0);
    let now = 0;
    const look = (index: number) => {
        book.seen(now, now, index, 1, true);
        now += 2000;
        book.seen(now, now, index, 0, false);
    };
    look(0);
    look(0);
    assert.deepEqual(book.take(now, now)[0].slice(0, 4), [0, 'a', 2, 4000]);
    for (let round = 0; round < 5; round++) {
        look(1);
        look(0);
    }
    const rows = book.take(now, now);
    assert.deepEqual(rows.map((row) => [row[2], row[7]]), [[5, 3], [5, 3]]);
});

test('reading credits no more than the words take, and says what was really spent', () => {
    const book = makeSectionBook();
    book.add('text', 119);
    book.add('picture', 3);
    book.seen(0, 0, 0, 1, true);
    book.take(20_000, 20_000);
    assert.deepEqual(
        book.takeReading(), [20_000, 30_000, 20_000, 0]);
    book.take(70_000, 70_000);
    assert.deepEqual(
        book.takeReading(), [10_000, 0, 50_000, 0]);
});

test('rage: three clicks, each under a second and under 30 px from the one before, once per run',
    () => {
        const clicks = (list: [number, number, number][]) => {
            const rule = makeRageRule();
            return list.map(([x, y, now]) => rule(x, y, now));
        };
        assert.deepEqual(
            clicks([[0, 0, 0], [5, 5, 900], [0, 0, 1800], [0, 0, 2000], [0, 0, 2200]]),
            [false, false, true, false, false]);
        assert.deepEqual(
            clicks([[0, 0, 0], [5, 5, 1000], [0, 0, 1800]]), [false, false, false]);
        assert.deepEqual(
            clicks([[0, 0, 0], [15, 15, 100], [0, 0, 200]]), [false, false, false]);
        assert.deepEqual(
            clicks([[0, 0, 0], [20, 9, 100], [40, 18, 200]]), [false, false, true]);
        assert.deepEqual(
            [median([]), median([3, 1, 2]), median([4, 1, 3, 2])], [0, 2, 2.5]);
    });

test('a click is decisive on the first entry, 80 to 1 200 ms after it', () => {
    const book = makeClickBook();
    const click = (hover: number, entries: number, now: number) => book.click({
        x: now, y: 0, now, interactive: true, hover, entries, rageExempt: false,
    });
    click(79, 1, 0);
    click(80, 1, 1000);
    click(1200, 1, 3000);
    click(1201, 1, 6000);
    click(500, 2, 46_000);
    click(-1, 0, 47_000);
    assert.deepEqual(book.take(), [6, 6, 2, 0, 0, 0, 1500, 500]);
    assert.equal(book.interactions(), 6);
});

test('a hover counts from 0.2 s to 10 s and for at most 5 s, in the midst of it too', () => {
    const book = makeCtaBook();
    const hover = (index: number, from: number, to: number) => {
        book.entered(index, from);
        book.left(index, to);
    };
    hover(0, 0, 199);
    assert.deepEqual(book.take(200), []);
    hover(0, 1000, 1300);
    hover(1, 2000, 9000);
    hover(2, 10_000, 21_000);
    book.entered(3, 30_000);
    assert.deepEqual(book.take(31_000),
        [[0, 300, 1, 0, 0, 0], [1, 5000, 1, 0, 0, 0], [3, 1000, 1, 0, 0, 0]]);
    assert.deepEqual(book.take(33_000), [[3, 2000, 0, 0, 0, 0]]);
});

test('a retreat is a lingering hover without a click that is come back to within a minute', () => {
    const book = makeCtaBook();
    const visit = (from: number, to: number, click: boolean) => {
        book.entered(0, from);
        if (click) book.clicked(0);
        book.left(0, to);
    };
    visit(0, 600, false);
    visit(50_000, 50_300, false);
    visit(51_000, 51_600, true);
    visit(52_000, 52_600, false);
    visit(120_000, 120_600, false);
    assert.equal(book.take(121_000)[0][5], 1);
});

test('a straight movement is efficient and a bent one is not', () => {
    const run = (points: [number, number][]) => {
        const book = makePointerBook();
        points.forEach(([x, y], index) => book.moved(x, y, 1000 + index * 60, 1000, 1000));
        const [x, y] = points[points.length - 1];
        book.pressed(x, y, 1000 + points.length * 60);
        return book.take(true);
    };
    const straight = run([[0, 0], [50, 0], [100, 0], [200, 0]]);
    assert.deepEqual(
        [straight[0], straight[1], straight[3], straight[4], straight[5]], [4, 200, 100, 1, 0]);
    const bent = run([[0, 0], [0, 100], [100, 100], [100, 0]]);
    assert.equal(bent[3], 33);
    assert.equal(run([[0, 0], [10, 0], [79, 0]])[4], 0);
    assert.ok(run([[0, 0], [100, 0], [50, 0], [150, 0], [100, 0]])[5] >= 3);
});

test('no number of the pointer is ever negative, whatever the order of moves and presses', () => {
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const book = makePointerBook();
    for (let round = 0, now = 0; round < 20_000; round++) {
        now += random() * 120;
        const [x, y] = [random() * 900, random() * 900];
        if (random() < 0.05) book.pressed(x, y, now);
        else book.moved(x, y, now, 900, 900);
        if (random() < 0.01) {
            const taken = book.take(true);
            assert.ok(taken.every((value) => value >= 0) && taken[3] <= 100, String(taken));
        }
    }
    const [f, z] = book.reading();
    assert.ok(f >= 0 && f <= 100 && z >= 0 && z <= 100);
});

test('a heat map has 4 columns and 32 rows, in each the logarithm of the time there', () => {
    const book = makeHeatBook();
    assert.equal(book.take(3200), undefined);
    book.moved(0.1, 10, 1000);
    book.moved(0.99, 3190, 1700);
    book.moved(0.99, 3190, 4800);
    book.moved(0, 0, 90_000);
    const map = book.take(3200)!;
    const cells = [...Buffer.from(map, 'base64url')];
    assert.deepEqual([cells.length, map.length], [128, 171]);
    const lit = cells.map((step, index) => [index, step]).filter(([, step]) => step);
    assert.deepEqual(lit, [[0, 24], [127, 51]]);
    assert.equal(book.take(3200), undefined);
});

test('the limits of rage clicks can be set', () => {
    const rule = makeRageRule([2, 500, 10]);
    assert.deepEqual([0, 600, 900].map((now) => rule(0, 0, now)), [false, false, true]);
});

test('touches are told apart by time, way and number of fingers', () => {
    const book = makeTouchBook();
    const touch = (from: number, to: number, x: number, gallery = false, fingers = 1) => {
        book.down({ x: 0, y: 0, now: from }, fingers, gallery);
        book.up({ x, y: 0, now: to });
    };
    touch(0, 100, 2);
    touch(200, 290, 0);
    touch(1000, 1600, 0);
    touch(2000, 2200, 40, true);
    touch(3000, 3020, 200);
    touch(4000, 4500, 0, false, 2);
    book.wheelZoom(9000);
    book.wheelZoom(9100);
    const taken = book.take();
    assert.deepEqual(taken.slice(0, 6), [2, 1, 1, 2, 1, 1]);
});

test('keys are kinds: content never passes', () => {
    const key = (name: string, ctrlKey = false) => ({ key: name, ctrlKey, metaKey: false });
    assert.equal(keyKind(key('a'), true, false), 'text');
    assert.equal(keyKind(key('a'), true, true), 'search');
    assert.equal(keyKind(key('a'), false, false), null);
    assert.equal(keyKind(key('Backspace'), true, false), 'delete');
    assert.equal(keyKind(key('c', true), false, false), 'copy');
    assert.equal(keyKind(key('x', true), false, false), null);
    assert.equal(keyKind(key('Tab'), true, false), 'step');
    assert.equal(keyKind(key('Shift'), true, false), null);
});

test('bursts are three keys of searching or stepping; typing in a form is none', () => {
    const book = makeKeyBook();
    ['search', 'search', 'search', 'search'].forEach(
        (kind, index) => book.key(kind as 'search', index * 200));
    ['text', 'text', 'text', 'delete'].forEach(
        (kind, index) => book.key(kind as 'text', 10_000 + index * 100));
    ['step', 'step', 'step'].forEach(
        (kind, index) => book.key(kind as 'step', 30_000 + index * 300));
    book.key('copy', 40_000);
    const taken = book.take();
    assert.deepEqual([taken[0], taken[1], taken[4], taken[5]], [2, 8, 13, 1]);
    assert.deepEqual(book.take(), [0, 0, 0, 0, 0, 0, 0, 0]);
});

test('a form starts with a value, not with focus; each field is told once, with increments', () => {
    const book = makeFormBook();
    book.focus('name', 0);
    assert.equal(book.started, false);
    assert.equal(book.input('name', 3200, false), true);
    assert.equal(book.input('name', 3300, false), false);
    assert.equal(book.hasNews(), false);
    book.input('name', 3400, true);
    book.input('name', 3500, true);
    book.input('name', 3600, false);
    book.blur('name', 4000);
    assert.equal(book.hasNews(), true);
    assert.deepEqual(book.take(4000, false), [['name', 3200, 4000, 5, 1, 0, 0]]);
    assert.deepEqual(book.take(4000, true), []);
    book.focus('name', 5000);
    book.input('name', 5100, false);
    assert.deepEqual(book.take(6000, false), []);
    assert.deepEqual(book.take(6000, true), [['name', 0, 1000, 1, 0, 1, 0]]);
    book.error('mail');
    assert.deepEqual(book.take(7000, true), [['mail', 0, 0, 0, 0, 0, 1]]);
});

test('moves: back, forward, U-turn, loop, and nothing for a plain link', () => {
    const trail = (...steps: [string, number, number, number][]) =>
        steps.map(([path, at, acts, index]) => ({ path, at, acts, index }));
    const kind
        = (steps: ReturnType<typeof trail>, traversal: boolean) => moveOf(steps, traversal)?.ty;
    assert.equal(kind(trail(['/a', 0, 0, 0], ['/b', 1000, 0, 1]), false), undefined);
    assert.equal(kind(trail(['/a', 0, 0, 0], ['/b', 1000, 0, 1], ['/a', 8000, 0, 0]), true), 'u');
    assert.equal(kind(trail(['/a', 0, 0, 0], ['/b', 1000, 0, 1], ['/a', 8001, 0, 0]), true), 'b');
    assert.equal(kind(trail(['/a', 0, 0, 0], ['/b', 1000, 1, 1], ['/a', 3000, 0, 0]), true), 'b');
    assert.equal(kind(trail(['/a', 0, 0, 0], ['/b', 1, 0, 1], ['/a', 20_000, 0, 0],
                          ['/b', 40_000, 0, 1]),
                     true),
        'l');
    assert.equal(kind(trail(['/x', 0, 0, 0], ['/a', 9000, 0, 1], ['/b', 20_000, 0, 2]), true), 'f');
    assert.equal(kind([], true), undefined);
    let long = trail();
    for (let index = 0; index < 50; index++)
        long = extended(long, { path: '/' + index, at: index, acts: 0, index });
    assert.equal(long.length, 8);
    assert.equal(long[7].path, '/49');
});

test('addresses lose their secrets: credentials, fragments, and parameters that are not listed',
    () => {
        assert.equal(reducedUrl('https://u:p@a.example/x?utm_source=s&email=a@b&gclid=1#f'),
            'https://a.example/x?utm_source=s&gclid=1');
        assert.equal(
            reducedReferrer('https://a.example/search?q=private'), 'https://a.example/search');
        assert.equal(reducedUrl('not an address'), '');
        assert.ok(reducedUrl('https://a.example/' +
                      'x'.repeat(900))
                      .length
            <= 512);
        assert.equal(wordsIn(' two  words\n'), 2);
    });
