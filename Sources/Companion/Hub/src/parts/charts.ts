// Charts as SVG, drawn with d3's arithmetic. Under every chart lies a table with the same numbers.

import { extent, max, ticks } from 'd3-array';
import { curveMonotoneX, curveStepAfter, line } from 'd3-shape';
import { freshId, h, s } from '../core/dom';
import { table } from './table';

export interface Point {
    at: number;
    value: number | null;
    /** The same place of the period before. */
    before?: number | null;
}

export interface LineChart {
    title: string;
    points: Point[];
    /** How values and moments are written. */
    value(value: number): string;
    moment(at: number): string;
    isStep?: boolean;
    /** Fixed upper end, such as 100 for scores. */
    top?: number;
    beforeTitle?: string;
}

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 52;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 26;
/** Room of a moment's label, on a phone, where letters are larger. */
const LABEL = 150;

interface Frame {
    x(at: number): number;
    y(value: number): number;
    top: number;
    points: Point[];
}

export function lineChart(chart: LineChart): HTMLElement {
    const points = [...chart.points].sort((one, other) => one.at - other.at);
    const frame = framed(points, chart.top);
    const id = freshId('chart');
    const reading = h('output', { class: 'reading', for: id }, lastReading(chart, points));
    const picture = s(
        'svg',
        {
            id,
            class: 'chart',
            viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
            role: 'img',
            tabindex: '0',
            'aria-label': `${chart.title}. Arrow keys read single values; the table has them all.`,
        },
        ...axes(frame, chart),
        path(frame, chart, (point) => point.before ?? null, 'before'),
        path(frame, chart, (point) => point.value, 'now'),
        ...lonely(frame),
    ) as SVGSVGElement;
    read(picture, frame, chart, reading);
    return h('figure', {}, h('div', { class: 'plot' }, picture), reading, numbers(chart, points));
}

function framed(points: Point[], top?: number): Frame {
    const [first = 0, last = 1] = extent(points.map((point) => point.at));
    const values = points.flatMap((point) => [point.value ?? 0, point.before ?? 0]);
    const highest = top ?? niceTop(max(values) ?? 0);
    const span = last - first || 1;
    return {
        points,
        top: highest,
        x: (at) => LEFT + ((at - first) / span) * (WIDTH - LEFT - RIGHT),
        y: (value) => HEIGHT - BOTTOM - (value / highest) * (HEIGHT - TOP - BOTTOM),
    };
}

function niceTop(highest: number): number {
    if (highest <= 0) return 1;
    const steps = ticks(0, highest, 4);
    const step = (steps[1] ?? highest) - (steps[0] ?? 0);
    return Math.ceil(highest / step) * step;
}

function axes(frame: Frame, chart: LineChart): SVGElement[] {
    const across = ticks(0, frame.top, 4).map((value) => {
        const y = frame.y(value);
        return s(
            'g',
            {},
            s('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
            s('text', { class: 'tick', x: LEFT - 8, y: y + 4, 'text-anchor': 'end' },
                chart.value(value)),
        );
    });
    const places = spread(frame).map((point) => {
        const x = frame.x(point.at);
        const anchor = x < LEFT + LABEL / 2 ? 'start' : x > WIDTH - LABEL / 2 ? 'end' : 'middle';
        return s('text', { class: 'tick', x, y: HEIGHT - 6, 'text-anchor': anchor },
            chart.moment(point.at));
    });
    return [...across, ...places];
}

/** Points whose labels do not touch, the last always among them. */
function spread(frame: Frame): Point[] {
    const kept: Point[] = [];
    let right = WIDTH + LABEL;
    for (const point of [...frame.points].reverse()) {
        const x = frame.x(point.at);
        if (right - x < LABEL) continue;
        kept.push(point);
        right = x;
    }
    return kept;
}

function path(
    frame: Frame,
    chart: LineChart,
    value: (point: Point) => number | null,
    name: string,
): SVGElement {
    const drawn = line<Point>()
        .defined((point) => value(point) !== null)
        .x((point) => frame.x(point.at))
        .y((point) => frame.y(value(point) ?? 0))
        .curve(chart.isStep ? curveStepAfter : curveMonotoneX);
    return s('path', { class: `line ${name}`, d: drawn(frame.points) ?? '' });
}

/** A single point makes no line, but it is there. */
function lonely(frame: Frame): SVGElement[] {
    const there = frame.points.filter((point) => point.value !== null);
    if (there.length > 40) return [];
    return there.map((point) =>
        s('circle', { class: 'dot', cx: frame.x(point.at), cy: frame.y(point.value ?? 0), r: 2.5 }),
    );
}

function lastReading(chart: LineChart, points: Point[]): string {
    const last = points[points.length - 1];
    return last ? reading(chart, last) : '';
}

function reading(chart: LineChart, point: Point): string {
    const value = point.value === null ? 'no value' : chart.value(point.value);
    const before =
        point.before === undefined || point.before === null
            ? ''
            : ` · ${chart.beforeTitle ?? 'before'} ${chart.value(point.before)}`;
    return `${chart.moment(point.at)}: ${value}${before}`;
}

/** Arrow keys and the pointer read values into the line below. */
function read(picture: SVGSVGElement, frame: Frame, chart: LineChart, out: HTMLElement): void {
    const cursor = s('line', { class: 'cursor', y1: TOP, y2: HEIGHT - BOTTOM });
    const { points } = frame;
    let place = points.length - 1;
    const show = (index: number) => {
        place = Math.min(points.length - 1, Math.max(0, index));
        const point = points[place];
        if (!point) return;
        if (!cursor.isConnected) picture.append(cursor);
        cursor.setAttribute('x1', String(frame.x(point.at)));
        cursor.setAttribute('x2', String(frame.x(point.at)));
        out.textContent = reading(chart, point);
    };
    picture.addEventListener('keydown', (event) => {
        const steps: Record<string, number> = {
            ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: points.length - 1,
        };
        const target = steps[event.key];
        if (target === undefined) return;
        event.preventDefault();
        show(target);
    });
    picture.addEventListener('pointermove', (event) => {
        const box = picture.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * WIDTH;
        show(nearest(frame, x));
    });
}

function nearest(frame: Frame, x: number): number {
    let best = 0;
    frame.points.forEach((point, index) => {
        const distance = Math.abs(frame.x(point.at) - x);
        if (distance < Math.abs(frame.x(frame.points[best]!.at) - x)) best = index;
    });
    return best;
}

function numbers(chart: LineChart, points: Point[]): HTMLElement {
    const columns = [
        { title: 'When', cell: (point: Point) => chart.moment(point.at) },
        {
            title: 'Value',
            isNumber: true,
            cell: (point: Point) => (point.value === null ? '–' : chart.value(point.value)),
        },
    ];
    if (points.some((point) => point.before !== undefined)) {
        columns.push({
            title: chart.beforeTitle ?? 'Before',
            isNumber: true,
            cell: (point: Point) => (point.before == null ? '–' : chart.value(point.before)),
        });
    }
    return h(
        'details',
        { class: 'numbers' },
        h('summary', {}, 'Show as table'),
        table(chart.title, columns, points),
    );
}

/** A line without axes, for a figure's recent course. The figure beside it says the value. */
export function spark(values: (number | null)[]): SVGElement {
    const highest = max(values.map((value) => value ?? 0)) || 1;
    const step = 96 / Math.max(1, values.length - 1);
    const drawn = line<{ x: number; value: number | null }>()
        .defined((point) => point.value !== null)
        .x((point) => point.x)
        .y((point) => 26 - ((point.value ?? 0) / highest) * 24);
    const points = values.map((value, index) => ({ x: index * step, value }));
    return s('svg', { class: 'spark', viewBox: '0 0 96 28', 'aria-hidden': 'true' },
        s('path', { class: 'line now', d: drawn(points) ?? '' }));
}

/** Bars from a middle line: what lowers to the left, what raises to the right. */
export function divergingBar(value: number, largest: number): SVGElement {
    const width = (Math.abs(value) / (largest || 1)) * 58;
    return s(
        'svg',
        { class: 'diverging', viewBox: '0 0 120 12', 'aria-hidden': 'true' },
        s('line', { class: 'middle', x1: 60, x2: 60, y1: 0, y2: 12 }),
        s('rect', {
            class: value < 0 ? 'lowers' : 'raises',
            x: value < 0 ? 60 - width : 60,
            y: 2,
            width: Math.max(width, 0.5),
            height: 8,
            rx: 1.5,
        }),
    );
}

/** A bar of a share, 0 to 1. */
export function shareBar(value: number, kind = 'raises'): SVGElement {
    return s(
        'svg',
        {
            class: 'share',
            viewBox: '0 0 100 8',
            preserveAspectRatio: 'none',
            'aria-hidden': 'true',
        },
        s('rect', { class: 'ground', x: 0, y: 0, width: 100, height: 8 }),
        s(
            'rect',
            { class: kind, x: 0, y: 0, width: Math.max(0, Math.min(1, value)) * 100, height: 8 },
        ),
    );
}

/** Bars of whole numbers over time, such as the last minutes, each made of named parts. */
export interface Stack {
    title: string;
    columns: { at: number; parts: { name: string; value: number }[] }[];
    moment(at: number): string;
}

export function stackedBars(stack: Stack): HTMLElement {
    const totals = stack.columns.map((one) => one.parts.reduce((sum, part) => sum + part.value, 0));
    const top = niceTop(max(totals) ?? 0);
    const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, stack.columns.length);
    const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
    const bars = stack.columns.flatMap((one, index) => {
        let sum = 0;
        return one.parts.map((part) => {
            const from = sum;
            sum += part.value;
            const height = y(from) - y(sum);
            return s('rect', {
                class: `bar ${part.name}`,
                x: LEFT + index * slot + slot * 0.12,
                y: y(sum),
                width: slot * 0.76,
                height: Math.max(0, height),
            });
        });
    });
    const frame: Frame = {
        points: stack.columns.map((_, index) => ({ at: index, value: totals[index] ?? 0 })),
        top,
        x: (index) => LEFT + (index + 0.5) * slot,
        y,
    };
    const labels = axes(frame, {
        title: stack.title,
        points: [],
        value: (value) => (Number.isInteger(value) ? String(value) : ''),
        moment: (index) => stack.moment(stack.columns[index]?.at ?? 0),
    });
    const picture = s(
        'svg',
        {
            class: 'chart',
            viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
            role: 'img',
            'aria-label': `${stack.title}; the table has all numbers.`,
        },
        ...labels,
        ...bars,
    );
    return h('figure', {}, h('div', { class: 'plot' }, picture), legend(stack), stackTable(stack));
}

function legend(stack: Stack): HTMLElement {
    const names = stack.columns[0]?.parts.map((part) => part.name) ?? [];
    return h(
        'p',
        { class: 'legend' },
        ...names.map((name) =>
            h('span', {}, s('svg', { viewBox: '0 0 10 10', 'aria-hidden': 'true' },
                s('rect', { class: `bar ${name}`, width: 10, height: 10, rx: 2 })), ` ${name}`),
        ),
    );
}

function stackTable(stack: Stack): HTMLElement {
    const names = stack.columns[0]?.parts.map((part) => part.name) ?? [];
    type Row = Stack['columns'][number];
    return h(
        'details',
        { class: 'numbers' },
        h('summary', {}, 'Show as table'),
        table<Row>(
            stack.title,
            [
                { title: 'When', cell: (row) => stack.moment(row.at) },
                ...names.map((name, index) => ({
                    title: name,
                    isNumber: true,
                    cell: (row: Row) => String(row.parts[index]?.value ?? 0),
                })),
            ],
            stack.columns,
        ),
    );
}
