// Numbers and moments as people read them, in the browser's language and the site's time zone.

let zone = 'UTC';
let dateTime = made();

function made() {
    const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone } as const;
    return {
        time: new Intl.DateTimeFormat(undefined, { ...clock, second: '2-digit' }),
        minute: new Intl.DateTimeFormat(undefined, clock),
        day: new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: zone }),
        full: new Intl.DateTimeFormat(undefined, {
            ...clock,
            second: '2-digit',
            day: 'numeric',
            month: 'short',
            year: 'numeric',
        }),
    };
}

/** Moments are shown in this zone from now on; one that the browser does not know is left. */
export function setZone(name: string): void {
    const before = zone;
    try {
        zone = name;
        dateTime = made();
    } catch {
        zone = before;
    }
}

export function zoneName(): string {
    return zone;
}

const whole = new Intl.NumberFormat();
const oneDecimal = new Intl.NumberFormat(undefined, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
});
const percent = new Intl.NumberFormat(undefined, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
});

export const DASH = '–';

export const count = (value: number): string => whole.format(value);
export const decimal = (value: number): string => oneDecimal.format(value);
export const share = (value: number): string => percent.format(value);
/** How much more or less, without its direction; from tenfold on a percentage says nothing. */
export const moved = (part: number): string =>
    part >= 9 ? `${count(Math.round(part + 1))}×` : share(Math.abs(part));

export const clockTime = (at: number): string => dateTime.time.format(at);
export const minuteTime = (at: number): string => dateTime.minute.format(at);
export const day = (at: number): string => dateTime.day.format(at);
export const fullTime = (at: number): string => dateTime.full.format(at);

/** A moment as short as today allows. */
export function moment(at: number): string {
    const isToday = day(at) === day(Date.now());
    return isToday ? clockTime(at) : `${day(at)} ${minuteTime(at)}`;
}

/** With its sign; a minus is one, not a hyphen. */
export function signed(value: number, digits = 2): string {
    const text = Math.abs(value).toFixed(digits);
    return Number(text) === 0 ? text : `${value < 0 ? '−' : '+'}${text}`;
}

/** Money in whole units; a bare number where nobody says of which currency. */
export function amount(value: number, currency: string | undefined): string {
    const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    const style = currency ? ({ style: 'currency', currency } as const) : digits;
    return new Intl.NumberFormat(undefined, style).format(value);
}

export function duration(milliseconds: number): string {
    const seconds = Math.max(0, Math.round(milliseconds / 1_000));
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.round(minutes / 60);
    return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

export const ago = (at: number, now = Date.now()): string =>
    now - at < 5_000 ? 'now' : `${duration(now - at)} ago`;

/** Decimals of money in a currency; two where the browser knows none. */
export function minorDigits(currency: string): number {
    try {
        const style = { style: 'currency', currency } as const;
        return new Intl.NumberFormat(undefined, style).resolvedOptions().maximumFractionDigits ?? 2;
    } catch {
        return 2;
    }
}

/** A figure by the type that its column has. */
export function figure(value: number | null, type: string, currency?: string): string {
    if (value === null) return DASH;
    switch (type) {
        case 'ratio':
            return share(value);
        case 'money':
            return amount(value, currency);
        case 'milliseconds':
            return duration(value);
        case 'number':
            return decimal(value);
        default:
            return count(value);
    }
}

/** A code such as `proof_driven` as words. */
export function words(code: string): string {
    const text = code
        .replace(/[_-]+/g, ' ')
        .replace(/\b(cta|ai)\b/g, (short) => short.toUpperCase())
        .trim();
    return text ? text[0]!.toUpperCase() + text.slice(1) : DASH;
}

/** An id short enough for a row; whoever needs all of it opens the visitor. */
export const shortId = (id: string): string =>
    id.length <= 14 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
