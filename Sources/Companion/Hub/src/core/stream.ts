// The live stream: one connection per browser and site. The tab that holds the lock listens to the
// companion and tells the others; when it closes, another one takes over.

import type { ScoreMessage } from './shapes';

export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'paused';

export interface Listener {
    onScore(message: ScoreMessage): void;
    /** Messages were missed: what is shown has to be read anew. */
    onGap(): void;
    onState(state: StreamState, at: number): void;
}

interface Relayed {
    kind: 'score' | 'gap' | 'state' | 'ask';
    score?: ScoreMessage;
    state?: StreamState;
    at?: number;
}

const RETRY_MILLISECONDS = 2_000;
const RETRY_MAXIMUM_MILLISECONDS = 15_000;
const HEARTBEAT_MILLISECONDS = 5_000;

/** Listens to a site until the signal ends it. */
export class LiveStream {
    private readonly channel: BroadcastChannel | null;
    private source: EventSource | null = null;
    private state: StreamState = 'connecting';
    /** When the companion was last known to be there. */
    private aliveAt = 0;
    private wait = RETRY_MILLISECONDS;
    private retry = 0;

    constructor(
        private readonly site: string,
        private readonly listener: Listener,
        private readonly signal: AbortSignal,
    ) {
        const name = `hub-stream:${site}`;
        const canElect = 'locks' in navigator && 'BroadcastChannel' in window;
        this.channel = canElect ? new BroadcastChannel(name) : null;
        if (this.channel) this.follow(this.channel, name);
        else this.listenWhileVisible();
        signal.addEventListener('abort', () => this.end());
    }

    // MARK: - Election

    private follow(channel: BroadcastChannel, name: string): void {
        channel.onmessage = (event) => this.take(event.data as Relayed);
        this.relay({ kind: 'ask' });
        const lead = () => new Promise<void>((resolve) => this.lead(resolve));
        navigator.locks.request(name, { signal: this.signal }, lead).catch(() => undefined);
    }

    private lead(resign: () => void): void {
        this.signal.addEventListener('abort', () => resign());
        if (this.signal.aborted) return resign();
        this.connect();
        const beat = setInterval(() => this.relay(this.standing()), HEARTBEAT_MILLISECONDS);
        this.signal.addEventListener('abort', () => clearInterval(beat));
    }

    /** Without locks there is no leader: each tab listens, but only while somebody looks at it. */
    private listenWhileVisible(): void {
        const look = () => {
            if (document.visibilityState === 'visible') this.connect();
            else this.disconnect();
        };
        document.addEventListener('visibilitychange', look, { signal: this.signal });
        look();
    }

    private take(message: Relayed): void {
        if (message.kind === 'ask') {
            if (this.source) this.relay(this.standing());
        } else if (message.kind === 'score' && message.score) {
            this.listener.onScore(message.score);
        } else if (message.kind === 'gap') {
            this.listener.onGap();
        } else if (message.state) {
            this.listener.onState(message.state, message.at ?? Date.now());
        }
    }

    private relay(message: Relayed): void {
        this.channel?.postMessage(message);
    }

    private standing(): Relayed {
        return { kind: 'state', state: this.state, at: this.aliveAt };
    }

    // MARK: - The connection

    private connect(): void {
        if (this.source || this.signal.aborted) return;
        const source = new EventSource(`/api/v1/live?site=${encodeURIComponent(this.site)}`);
        this.source = source;
        source.addEventListener('open', () => this.stand('live'));
        source.addEventListener('hello', () => this.stand('live'));
        source.addEventListener('gap', () => this.both({ kind: 'gap' }));
        source.addEventListener(
            'score',
            (event) => this.hear((event as MessageEvent<string>).data),
        );
        source.addEventListener('error', () => this.lost(source));
    }

    private hear(text: string): void {
        const score = parsed(text);
        this.aliveAt = Date.now();
        if (score) this.both({ kind: 'score', score });
    }

    /** The browser tries again by itself, unless it was answered with an error. */
    private lost(source: EventSource): void {
        this.stand('reconnecting');
        if (source.readyState !== EventSource.CLOSED || source !== this.source) return;
        this.source = null;
        this.retry = window.setTimeout(() => this.connect(), this.wait);
        this.wait = Math.min(this.wait * 2, RETRY_MAXIMUM_MILLISECONDS);
    }

    private stand(state: StreamState): void {
        const cameBack = this.state === 'reconnecting' && state === 'live';
        if (state === 'live') {
            this.aliveAt = Date.now();
            this.wait = RETRY_MILLISECONDS;
        }
        this.state = state;
        this.both(this.standing());
        if (cameBack) this.both({ kind: 'gap' });
    }

    /** Tells this tab and the others. */
    private both(message: Relayed): void {
        this.take(message);
        this.relay(message);
    }

    private disconnect(): void {
        window.clearTimeout(this.retry);
        this.source?.close();
        this.source = null;
    }

    private end(): void {
        this.disconnect();
        this.channel?.close();
    }
}

function parsed(text: string): ScoreMessage | null {
    try {
        const said = JSON.parse(text) as ScoreMessage;
        const isOne = typeof said.visitor === 'string' && Number.isFinite(said.score);
        return isOne ? said : null;
    } catch {
        return null;
    }
}
