// The last half hour in numbers: events and visitors minute by minute, as bars and as a table.
import { readMinutes } from './feed.js';

const MINUTES_SHOWN = 30;
const REFRESH_MILLISECONDS = 10_000;
const BAR_WIDTH = 8;
const BAR_GAP = 2;
const HEIGHT = 48;
const SVG = 'http://www.w3.org/2000/svg';

const ROWS = ['events', 'page_views', 'visitors', 'sessions', 'conversions'];
const place = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hour12: false });
const whole = (value) => value.toLocaleString('en');

/** Draws a bar per minute; the last one still goes on and is drawn lighter. */
function drawBars(svg, values) {
    const most = Math.max(1, ...values);
    svg.setAttribute('viewBox', `0 0 ${values.length * (BAR_WIDTH + BAR_GAP)} ${HEIGHT}`);
    svg.replaceChildren(...values.map((value, index) => {
        const height = value > 0 ? Math.max(2, (value / most) * HEIGHT) : 1;
        const bar = document.createElementNS(SVG, 'rect');
        bar.setAttribute('x', index * (BAR_WIDTH + BAR_GAP));
        bar.setAttribute('y', HEIGHT - height);
        bar.setAttribute('width', BAR_WIDTH);
        bar.setAttribute('height', height);
        bar.setAttribute('class', index === values.length - 1 ? 'bar-now' : 'bar-past');
        return bar;
    }));
}

/** The newest minute first, as somebody who listens wants it. */
function fillTable(minutes) {
    const rows = minutes.toReversed().map((minute) => {
        const row = document.createElement('tr');
        const head = document.createElement('th');
        head.scope = 'row';
        head.textContent = clock.format(new Date(minute.started_at));
        const cells = ROWS.map((name) => {
            const cell = document.createElement('td');
            cell.textContent = whole(minute[name]);
            return cell;
        });
        row.append(head, ...cells);
        return row;
    });
    place('minutes-rows').replaceChildren(...rows);
}

function show({ minutes, totals }) {
    const visitors = minutes.map((minute) => minute.visitors);
    place('minutes').hidden = totals.events === 0;
    place('minutes-events').textContent = whole(totals.events);
    place('minutes-views').textContent = whole(totals.page_views);
    place('minutes-sessions').textContent = whole(totals.sessions);
    place('minutes-conversions').textContent = whole(totals.conversions);
    place('minutes-visitors').textContent = whole(Math.max(...visitors));
    drawBars(place('minutes-event-bars'), minutes.map((minute) => minute.events));
    drawBars(place('minutes-visitor-bars'), visitors);
    if (place('minutes-table').open) fillTable(minutes);
}

/** Keeps the section fresh while the page is looked at. What cannot be read is said by the rest of
 * the page; the numbers then stay as they were. */
export function keepMinutes(isPaused) {
    const refresh = async () => {
        if (isPaused() || document.hidden) return;
        try {
            show(await readMinutes(MINUTES_SHOWN));
        } catch { /* the next turn tries again */ }
    };
    place('minutes-table').addEventListener('toggle', refresh);
    document.addEventListener('visibilitychange', refresh);
    setInterval(refresh, REFRESH_MILLISECONDS);
    refresh();
}
