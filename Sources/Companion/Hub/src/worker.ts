// The service worker: keeps the shell of this build, so that the Hub opens while the companion is
// away. Answers of the API are kept by the pages themselves (core/api.ts), never here.

declare const VERSION: string;
declare const FILES: string[];

interface WorkerEvent extends Event {
    waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends WorkerEvent {
    readonly request: Request;
    respondWith(answer: Promise<Response>): void;
}

interface WorkerScope extends EventTarget {
    skipWaiting(): Promise<void>;
    registration: { scope: string };
}

const scope = self as unknown as WorkerScope;
const shellName = `hub-shell-${VERSION}`;
const listen = (kind: string, call: (event: never) => void) =>
    scope.addEventListener(kind, call as (event: Event) => void);

listen('install', (event: WorkerEvent) => event.waitUntil(fill().then(() => scope.skipWaiting())));
listen('activate', (event: WorkerEvent) => event.waitUntil(dropOthers()));
listen('fetch', (event: FetchEvent) => {
    const { request } = event;
    const isOurs = request.url.startsWith(scope.registration.scope) && request.method === 'GET';
    if (isOurs) event.respondWith(answer(request));
});

async function fill(): Promise<void> {
    const cache = await caches.open(shellName);
    await cache.addAll(['./', ...FILES.map((file) => `./${file}`)]);
}

async function dropOthers(): Promise<void> {
    const others = (await caches.keys()).filter(
        (one) => one.startsWith('hub-shell-') && one !== shellName,
    );
    await Promise.all(others.map((one) => caches.delete(one)));
}

/** The companion's own answer first: an old shell against a new API would be worse than a wait. */
async function answer(request: Request): Promise<Response> {
    try {
        return await fetch(request);
    } catch (error) {
        const kept = await (await caches.open(shellName)).match(request, { ignoreSearch: true });
        if (kept) return kept;
        throw error;
    }
}

export {};
