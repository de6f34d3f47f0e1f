const COOKIE_SECONDS = 395 * 24 * 3600;

/** One place for small values; every access may be forbidden by the browser, so none may throw. */
export interface Shelf {
    read(key: string): string | null;
    write(key: string, value: string): void;
    remove(key: string): void;
}

/** The result of `action`, or null where the browser forbids it. */
export function attempt<T>(action: () => T): T | null {
    try {
        return action();
    } catch {
        return null;
    }
}

export function shelfOf(open: () => Storage): Shelf {
    return {
        read: (key) => attempt(() => open().getItem(key)),
        write: (key, value) => attempt(() => open().setItem(key, value)),
        remove: (key) => attempt(() => open().removeItem(key)),
    };
}

export const localShelf = shelfOf(() => localStorage);

/** Every key there, of whomever. */
export const localKeys = () => attempt(() => Object.keys(localStorage)) || [];

export const tabShelf = shelfOf(() => sessionStorage);

/** The value of a cookie in a `document.cookie` text. */
export function cookieIn(cookies: string, name: string): string | null {
    for (const pair of cookies.split('; ')) {
        if (pair.indexOf(name + '=') === 0) return pair.slice(name.length + 1);
    }
    return null;
}

function setCookie(name: string, value: string, seconds: number): void {
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}`;
}

/** A sandboxed frame has no cookies: then the mirror or memory serves. */
export const cookieShelf: Shelf = {
    read: (name) => attempt(() => cookieIn(document.cookie, name)),
    write: (name, value) => attempt(() => setCookie(name, value, COOKIE_SECONDS)),
    remove: (name) => attempt(() => setCookie(name, '', 0)),
};

/** A stored JSON object, or null when absent or damaged. */
export function readJson<T>(place: Shelf, key: string): T | null {
    return attempt(() => JSON.parse(place.read(key) || 'null') as T | null);
}
