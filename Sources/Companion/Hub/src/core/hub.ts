// What all parts of one tab share: the stream, whether it is paused, and what is told to everybody.

import type { ScoreMessage } from './shapes';
import { LiveStream, type StreamState } from './stream';

interface Events {
    score: ScoreMessage;
    gap: null;
    state: { state: StreamState; at: number };
    refresh: null;
    /** The result of something that the user did, for the one status line. */
    say: string;
}

type Call<K extends keyof Events> = (value: Events[K]) => void;

const listeners = new Map<keyof Events, Set<Call<never>>>();
let stream: AbortController | null = null;
let streamSite = '';
let isPaused = false;
let last: { state: StreamState; at: number } = { state: 'connecting', at: 0 };

export function on<K extends keyof Events>(name: K, call: Call<K>, signal: AbortSignal): void {
    const calls = listeners.get(name) ?? new Set();
    listeners.set(name, calls);
    calls.add(call as Call<never>);
    signal.addEventListener('abort', () => calls.delete(call as Call<never>));
}

export function tell<K extends keyof Events>(name: K, value: Events[K]): void {
    for (const call of [...(listeners.get(name) ?? [])]) (call as Call<K>)(value);
}

/** Listens to this site from now on. */
export function follow(site: string): void {
    if (site === streamSite && stream) return;
    stream?.abort();
    stream = null;
    streamSite = site;
    if (!site || isPaused) return;
    const own = new AbortController();
    stream = own;
    new LiveStream(
        site,
        {
            onScore: (message) => tell('score', message),
            onGap: () => tell('gap', null),
            onState: (state, at) => stand(state, at),
        },
        own.signal,
    );
}

function stand(state: StreamState, at: number): void {
    last = { state, at: at || last.at };
    tell('state', last);
}

export const streamState = () => last;
export const paused = () => isPaused;

/** Pausing ends this tab's part in the stream; going on reads everything anew. */
export function pause(wanted: boolean): void {
    isPaused = wanted;
    const site = streamSite;
    streamSite = '';
    if (wanted) {
        stream?.abort();
        stream = null;
        streamSite = site;
        stand('paused', last.at);
    } else {
        stand('connecting', last.at);
        follow(site);
        tell('gap', null);
    }
}
