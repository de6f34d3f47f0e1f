const COOKIE_SECONDS = 395 * 24 * 3600;

/** One place for small values; every access may be forbidden by the browser, so none may throw. */
export interface Shelf {
    recall(key: string): string | null;
    store(key: string, value: string): void;
    forget(key: string): void;
}

/** The result of `action`, or null where the browser forbids it. */
export const attempt = <T>(action: () => T): T | null => {
    try {
        return action();
    } catch {
        return null;
    }
};

export const shelfOf = (open: () => Storage): Shelf => {
    return {
        recall: (key) => attempt(() => open().getItem(key)),
        store: (key, value) => attempt(() => open().setItem(key, value)),
        forget: (key) => attempt(() => open().removeItem(key)),
    };
};

export const localShelf = shelfOf(() => localStorage);

/** Every key there, of whomever. */
export const localKeys = () => attempt(() => Object.keys(localStorage)) || [];

export const tabShelf = shelfOf(() => sessionStorage);

/** The value of a cookie in a `document.cookie` text. */
export const cookieIn = (cookies: string, name: string): string | null => {
    const found = ('; ' + cookies).split(`; ${name}=`)[1];
    return found?.split(';')[0] ?? null;
};

const setCookie = (name: string, value: string, seconds: number): void => {
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}`;
};

/** A sandboxed frame has no cookies: then the mirror or memory serves. */
export const cookieShelf: Shelf = {
    recall: (name) => attempt(() => cookieIn(document.cookie, name)),
    store: (name, value) => attempt(() => setCookie(name, value, COOKIE_SECONDS)),
    forget: (name) => attempt(() => setCookie(name, '', 0)),
};

/** A stored JSON object, or null when absent or damaged. */
export const readJson = <T>(place: Shelf, key: string): T | null => {
    return attempt(() => JSON.parse(place.recall(key) || 'null') as T | null);
};
