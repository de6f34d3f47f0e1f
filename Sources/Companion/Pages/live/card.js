// One visitor's card. Data reaches the page as text and numbers only, never as markup.
const HISTORY_POINTS = 60;
const SPARK_WIDTH = 240;
const SPARK_HEIGHT = 56;
const SPARK_SPAN_MINIMUM = 20;
const TERMS_SHOWN = 5;
const TWEEN_MILLISECONDS = 450;
const CONTRIBUTION_FULL = 1.9;
const SVG = 'http://www.w3.org/2000/svg';

const BANDS = { cold: 'Cold', warm: 'Warm', hot: 'Hot' };
const PROFILES = {
    'undetermined': ['Not clear yet', 'Too little has been seen to tell.'],
    'fast-mover': ['Fast-Mover', 'Decides quickly; wants the shortest way.'],
    'proof-driven': ['Proof-Driven', 'Looks for what others experienced.'],
    'reassurer': ['Reassurer', 'Comes back and wants to be sure.'],
    'skeptic': ['Skeptic', 'Compares, doubts, checks elsewhere.'],
    'optimizer': ['Optimizer', 'Reads the details to choose the best.'],
    'authority-seeker': ['Authority-Seeker', 'Trusts names, awards and experts.'],
    'experience-first': ['Experience-First', 'Wants to see and try it.'],
};

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const decimals = (value, digits) => value.toLocaleString('en', {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
});

function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
}

function shape(tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
}

/** How long ago, in words that need no update more often than every few seconds. */
export function ageText(milliseconds) {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    if (seconds < 10) return 'just now';
    if (seconds < 90) return `${Math.round(seconds / 10) * 10} s ago`;
    if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`;
    return `${Math.round(seconds / 3600)} h ago`;
}

/**
 * The step line of a score's history, and the area under it. The line is about movement, so its
 * scale follows the values, but never closer than shows a change of a few points as small.
 */
function sparkPaths(history) {
    const middle = (Math.max(...history) + Math.min(...history)) / 2;
    const span = Math.max(SPARK_SPAN_MINIMUM, Math.max(...history) - Math.min(...history));
    const low = middle - span / 2;
    const y = (score) => SPARK_HEIGHT - 4 - ((score - low) / span) * (SPARK_HEIGHT - 8);
    let line = `M0 ${y(history[0]).toFixed(1)}`;
    history.forEach((score, index) => {
        const end = (SPARK_WIDTH * (index + 1)) / history.length;
        line += `V${y(score).toFixed(1)}H${end.toFixed(1)}`;
    });
    return { line, area: `${line}V${SPARK_HEIGHT}H0Z` };
}

function makeSpark() {
    const svg = shape('svg', {
        viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, class: 'spark', preserveAspectRatio: 'none',
        'aria-hidden': 'true',
    });
    const area = shape('path', { class: 'spark-area' });
    const line = shape('path', { class: 'spark-line', 'vector-effect': 'non-scaling-stroke' });
    svg.append(area, line);
    return {
        element: svg,
        show(history) {
            const paths = sparkPaths(history);
            area.setAttribute('d', paths.area);
            line.setAttribute('d', paths.line);
        },
    };
}

/** A number that glides to its new value. */
function makeNumber(className) {
    const element = make('span', className);
    let shown = null;
    let frame = 0;
    return {
        element,
        show(target) {
            cancelAnimationFrame(frame);
            const from = shown;
            const began = performance.now();
            const paint = (value) => {
                shown = value;
                element.textContent = decimals(value, 1);
            };
            if (from === null || calm.matches || document.hidden) return paint(target);
            const step = (now) => {
                const share = Math.min(1, Math.max(0, now - began) / TWEEN_MILLISECONDS);
                paint(from + (target - from) * (1 - (1 - share) ** 3));
                if (share < 1) frame = requestAnimationFrame(step);
            };
            frame = requestAnimationFrame(step);
        },
    };
}

function makeTermRow() {
    const row = make('li', 'term');
    const label = make('span', 'term-label');
    const track = make('span', 'term-track');
    const fill = make('span', 'term-fill');
    const number = make('span', 'term-number');
    track.setAttribute('aria-hidden', 'true');
    track.append(fill);
    row.append(label, track, number);
    return {
        element: row,
        show(term) {
            const { contribution } = term;
            const share = Math.min(1, Math.abs(contribution) / CONTRIBUTION_FULL);
            label.textContent = term.label;
            fill.style.setProperty('--share', share.toFixed(3));
            fill.classList.toggle('lowers', contribution < 0);
            const size = decimals(Math.abs(contribution), 2);
            number.textContent = (contribution < 0 ? '−' : '+') + size;
            row.title = `${term.label}: ${decimals(term.value * 100, 0)} % of its range, `
                + (contribution < 0 ? 'lowers the score' : 'raises the score');
        },
    };
}

/** The signals that weigh most; rows are kept per signal, so that bars glide and none flickers. */
function makeTerms() {
    const element = make('div', 'terms');
    const title = make('h4', '', 'What weighs most');
    const list = make('ol');
    const none = make('p', 'quiet', 'No signal weighs anything yet.');
    const rows = new Map();
    element.append(title, list, none);
    return {
        element,
        show(terms) {
            const telling = terms.filter((term) => Math.abs(term.contribution) >= 0.005);
            const top = telling.slice(0, TERMS_SHOWN);
            const elements = top.map((term) => {
                if (!rows.has(term.signal)) rows.set(term.signal, makeTermRow());
                rows.get(term.signal).show(term);
                return rows.get(term.signal).element;
            });
            elements.forEach((row, index) => {
                const there = list.children[index] || null;
                if (there !== row) list.insertBefore(row, there);
            });
            while (list.children.length > elements.length) list.lastElementChild.remove();
            none.hidden = elements.length > 0;
        },
    };
}

function makeProfile() {
    const element = make('div', 'profile');
    const title = make('h4', '', 'Profile');
    const name = make('p', 'profile-name');
    const words = make('p', 'quiet');
    const meter = make('div', 'meter');
    const fill = make('span');
    const confidence = make('p', 'confidence');
    meter.setAttribute('aria-hidden', 'true');
    meter.append(fill);
    element.append(title, name, words, meter, confidence);
    return {
        element,
        show(profile, share) {
            const [label, explanation] = PROFILES[profile] || [profile, ''];
            element.dataset.profile = profile;
            name.textContent = label;
            words.textContent = explanation;
            if (!Number.isFinite(share)) return;
            fill.style.setProperty('--share', Math.max(0, Math.min(1, share)).toFixed(3));
            confidence.textContent = `Confidence ${decimals(share * 100, 0)} %`;
        },
    };
}

function makeScore() {
    const element = make('div', 'score');
    const number = makeNumber('score-number');
    const band = make('span', 'band');
    const line = make('p', 'score-line');
    const gauge = make('div', 'gauge');
    const fill = make('span');
    const spark = makeSpark();
    const history = [];
    gauge.setAttribute('aria-hidden', 'true');
    gauge.append(fill);
    line.append(number.element, band);
    element.append(line, gauge, spark.element);
    return {
        element,
        show(score, bandName) {
            if (history[history.length - 1] !== score) history.push(score);
            if (history.length > HISTORY_POINTS) history.shift();
            number.show(score);
            band.textContent = BANDS[bandName] || bandName;
            element.dataset.band = bandName;
            fill.style.setProperty('--share', Math.max(0, Math.min(1, score / 100)).toFixed(3));
            spark.show(history);
        },
    };
}

/** A card for `visitor`; `show` takes what is known, whole or in part. */
export function makeCard(visitor) {
    const name = 'Visitor ' + visitor.slice(-4);
    const element = make('li', 'card');
    const head = make('div', 'card-head');
    const title = make('h3', '', name);
    const own = make('span', 'own', 'That is you');
    const age = make('span', 'age');
    const [score, profile, terms] = [makeScore(), makeProfile(), makeTerms()];
    let seen = 0;

    title.title = visitor;
    own.hidden = true;
    head.append(title, own, age);
    element.append(head, score.element, profile.element, terms.element);
    element.classList.add('arrives');
    terms.show([]);

    function showAge() {
        age.textContent = seen ? ageText(Date.now() - seen) : '';
    }
    return {
        element,
        name,
        showAge,
        setOwn(isOwn) {
            own.hidden = !isOwn;
        },
        show(values) {
            seen = values.seen || values.updated || seen;
            score.show(values.score, values.band);
            profile.show(values.profile, values.confidence);
            if (values.terms) terms.show(values.terms);
            showAge();
        },
    };
}
