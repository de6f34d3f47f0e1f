// The one way to ask the companion. Every answer knows when it was true; the last ones are kept, so
// that a page has something to show while the companion is away.

export interface Answer<T> {
    readonly data: T;
    /** When it was answered, epoch milliseconds; an answer's own `as_of` is more exact. */
    readonly at: number;
    /** Set when the companion could not be reached, and this is what it said last. */
    readonly isKept: boolean;
}

/** A refusal, as RFC 9457 writes it, or the network's silence. */
export class Problem extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        readonly title: string,
        readonly detail: string,
        readonly path: string,
        readonly request: string | null,
    ) {
        super(detail || title);
    }

    /** Whether the companion has no such route at all, rather than no such thing. */
    get isUnknownRoute(): boolean {
        if (this.status === 405) return true;
        return this.status === 404 && this.detail === 'There is nothing at this path.';
    }
}

const BASE = '/api/v1';
const KEPT = 'hub-answers';
const KEPT_MAXIMUM = 120;
const KEPT_AT = 'x-hub-kept-at';
const PATIENCE_MILLISECONDS = 20_000;

let changeToken: string | null = null;

/** What changes must send along; `GET /me` tells it to sessions. */
export function setChangeToken(token: string | null): void {
    changeToken = token;
}

export function get<T>(path: string, signal: AbortSignal): Promise<Answer<T>> {
    return asked<T>(path, { method: 'GET' }, path, signal);
}

/** A question in a body; reads only, so that its answer may be kept like that of a GET. */
export function ask<T>(path: string, body: unknown, signal: AbortSignal): Promise<Answer<T>> {
    const text = JSON.stringify(body);
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (changeToken) headers['X-HG-CSRF'] = changeToken;
    return asked<T>(path, { method: 'POST', body: text, headers }, `${path}?body=${text}`, signal);
}

/** A change, or a look whose answer is not kept. */
export async function send<T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: unknown = null,
    signal?: AbortSignal,
): Promise<T> {
    return (await (await sent(method, path, body, signal)).json()) as T;
}

/** The answer to a question as a file. */
export async function blobOf(path: string, body: unknown, accept: string): Promise<Blob> {
    return (await sent('POST', path, body, undefined, { Accept: accept })).blob();
}

async function sent(
    method: string,
    path: string,
    body: unknown,
    signal = new AbortController().signal,
    headers: Record<string, string> = {},
): Promise<Response> {
    if (changeToken) headers['X-HG-CSRF'] = changeToken;
    if (body !== null) headers['Content-Type'] = 'application/json';
    const text = body === null ? null : JSON.stringify(body);
    const request = { method, headers, body: text, signal: patient(signal) };
    const response = await fetch(BASE + path, request).catch((error: unknown) => {
        throw new Problem(0, 'unreachable', 'No connection', silence(error), path, null);
    });
    if (!response.ok) throw await problem(response, path);
    return response;
}

async function asked<T>(
    path: string,
    request: RequestInit,
    name: string,
    signal: AbortSignal,
): Promise<Answer<T>> {
    let response: Response;
    try {
        response = await fetch(BASE + path, { ...request, signal: patient(signal) });
    } catch (error) {
        if (signal.aborted) throw error;
        const kept = await readKept<T>(name);
        if (kept) return kept;
        throw new Problem(0, 'unreachable', 'No connection', silence(error), path, null);
    }
    if (!response.ok) throw await problem(response, path);
    const text = await response.text();
    void keep(name, text);
    return { data: JSON.parse(text) as T, at: Date.now(), isKept: false };
}

function silence(error: unknown): string {
    return error instanceof DOMException && error.name === 'TimeoutError'
        ? 'The companion did not answer within 20 s.'
        : 'The companion cannot be reached.';
}

function patient(signal: AbortSignal): AbortSignal {
    const both = new AbortController();
    const stop = () => both.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    const late = new DOMException('too late', 'TimeoutError');
    setTimeout(() => both.abort(late), PATIENCE_MILLISECONDS);
    return both.signal;
}

async function problem(response: Response, path: string): Promise<Problem> {
    if (response.status === 401) void forgetKept();
    const said = await response.json().catch(() => ({}));
    const text = (key: string) => (typeof said[key] === 'string' ? (said[key] as string) : '');
    return new Problem(
        response.status,
        text('code') || String(response.status),
        text('title') || `Answer ${response.status}`,
        text('detail'),
        path,
        response.headers.get('request-id'),
    );
}

// What is kept lies in the browser's cache, of this origin only, and goes when the session ends.

const keptUrl = (name: string) => `${location.origin}/hub/kept/${encodeURIComponent(name)}`;

async function keep(name: string, text: string): Promise<void> {
    if (!('caches' in window)) return;
    const cache = await caches.open(KEPT);
    const headers = { 'Content-Type': 'application/json', [KEPT_AT]: String(Date.now()) };
    await cache.put(keptUrl(name), new Response(text, { headers }));
    const all = await cache.keys();
    for (const old of all.slice(0, Math.max(0, all.length - KEPT_MAXIMUM))) await cache.delete(old);
}

async function readKept<T>(name: string): Promise<Answer<T> | null> {
    if (!('caches' in window)) return null;
    const found = await (await caches.open(KEPT)).match(keptUrl(name));
    if (!found) return null;
    const at = Number(found.headers.get(KEPT_AT));
    return { data: (await found.json()) as T, at, isKept: true };
}

export async function forgetKept(): Promise<void> {
    if ('caches' in window) await caches.delete(KEPT);
}
