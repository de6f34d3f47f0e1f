const COOKIE_SECONDS = 395 * 24 * 3600;

/** One place for small values; every access may be forbidden by the browser, so none may throw. */
export interface Shelf {
    read(key: string): string | null;
    write(key: string, value: string): void;
    remove(key: string): void;
}

function shelf(open: () => Storage): Shelf {
    const attempt = <T>(action: (storage: Storage) => T): T | null => {
        try {
            return action(open());
        } catch {
            return null;
        }
    };
    return {
        read: (key) => attempt((storage) => storage.getItem(key)),
        write: (key, value) => void attempt((storage) => storage.setItem(key, value)),
        remove: (key) => void attempt((storage) => storage.removeItem(key)),
    };
}

export const localShelf = shelf(() => window.localStorage);
export const tabShelf = shelf(() => window.sessionStorage);

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

export const cookieShelf: Shelf = {
    read(name) {
        try {
            return cookieIn(document.cookie, name);
        } catch {
            return null;
        }
    },
    write(name, value) {
        try {
            setCookie(name, value, COOKIE_SECONDS);
        } catch {
            // A sandboxed frame has no cookies: the mirror or memory serves.
        }
    },
    remove(name) {
        try {
            setCookie(name, '', 0);
        } catch {
            // As above.
        }
    },
};

/** A stored JSON object, or null when absent or damaged. */
export function readJson<T>(place: Shelf, key: string): T | null {
    try {
        return JSON.parse(place.read(key) || 'null') as T | null;
    } catch {
        return null;
    }
}
