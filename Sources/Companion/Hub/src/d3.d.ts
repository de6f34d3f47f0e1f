// What the Hub uses of Debian's d3 modules, which bring no declarations of their own.
declare module 'd3-array' {
    export function ticks(start: number, stop: number, count: number): number[];
    export function extent(values: Iterable<number>): [number, number] | [undefined, undefined];
    export function max(values: Iterable<number>): number | undefined;
    export function bisector<T>(value: (one: T) => number): {
        center(array: readonly T[], at: number): number;
    };
}

declare module 'd3-shape' {
    export interface Line<T> {
        (points: readonly T[]): string | null;
        x(value: (point: T) => number): Line<T>;
        y(value: (point: T) => number): Line<T>;
        defined(value: (point: T) => boolean): Line<T>;
        curve(curve: unknown): Line<T>;
    }
    export function line<T>(): Line<T>;
    export const curveMonotoneX: unknown;
    export const curveStepAfter: unknown;
}
