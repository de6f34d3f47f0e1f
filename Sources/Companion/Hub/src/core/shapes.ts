// What the read API answers, as far as the Hub reads it.

export interface Term {
    signal: string;
    label: string;
    value: number;
    contribution: number;
    sentence?: string;
}

/** A browser that may be the same person's: a guess. */
export interface LikelyLink {
    visitor: string;
    confidence: number;
    reasons: { reason: string; adds: number; detail: string }[];
}

export interface Visitor {
    visitor: string;
    score: number;
    band: string;
    profile: string;
    confidence: number;
    likelihood: number;
    model: string;
    updated: number;
    seen: number;
    as_of: number;
    terms: Term[];
    heads: Record<string, { label: string; value: number }>;
    trend?: Record<string, { points_per_hour: number; since: number }>;
    links?: LikelyLink[];
}

export interface ScoreMessage {
    visitor: string;
    score: number;
    band: string;
    profile: string;
    updated: number;
}

export interface Contribution {
    signal: string;
    label: string;
    sentence: string;
    amount: number;
    unit: string;
    evidence: number;
    value: number;
    beta: number;
    share: number;
    log_odds: number;
    score_without: number;
    half_life_s: number;
}

export interface Explanation {
    as_of: number;
    model: string;
    base: number;
    contributions: Contribution[];
    sum: number;
    score: number;
    band: string;
    not_measured: { signal: string; reason: string }[];
    profile: string;
    confidence: number;
    probabilities: Record<string, number>;
    profile_terms: { name: string; log_odds: number }[];
    next: { at: string; band: string; if: string }[];
}

export interface HistoryPoint {
    at: number;
    score: number;
    band: string;
    profile: string;
    confidence: number;
    likelihood: number;
    reason: string;
    model?: string;
    terms?: { name: string; adds: number }[];
    profile_before?: string;
}

/** Something that a visitor did, or that came of it. */
export interface Deed {
    kind: string;
    at: number;
    visitor: string;
    session?: string;
    detail: Record<string, unknown>;
}

/** The scoring file's numbers. */
export interface ScoringNumbers {
    model: string;
    base: number;
    bands: { warm: number; hot: number; hysteresis: number };
    signals: { signal: string; label: string; weight: number; half_life_s: number }[];
}

export interface Delivery {
    id: string;
    destination: string;
    conversion: string;
    name?: string;
    state: string;
    attempts: number;
    doubts: number;
    occurred_at: string;
    created_at: string;
    due_at: string;
    settled_at?: string;
    code?: string;
    reason?: string;
    trace?: string;
    remark?: string;
}

export interface DestinationHealth {
    destination: string;
    state: string;
    code?: string;
    reason?: string;
    since?: string;
    token_refused: boolean;
    states: Record<string, number>;
    sent: number;
    accepted: number;
    refused: number;
    in_doubt: number;
    late: number;
    oldest_pending_seconds?: number;
    match_keys: Record<string, number>;
    pairing?: { delivered: number; paired: number; rate?: number; median_gap_seconds?: number };
}

export interface Rejected {
    id: string;
    received_at: string;
    reason: string;
    place: string;
    site?: string;
    key?: string;
    format: string;
    path: string;
    event?: string;
    address?: string;
    bytes: number;
    whole_batch: boolean;
    truncated: boolean;
    replayable: boolean;
    masked: boolean;
    withheld: boolean;
    replayed_at?: string;
    outcome?: string;
    body?: string;
}

export interface Trace {
    event: string;
    site: string;
    state: string;
    stages: {
        stage: string;
        state: 'done' | 'pending' | 'skipped' | 'failed';
        at?: string;
        reason?: string;
        fix?: string;
        position?: string;
    }[];
}

export interface Minute {
    minute: number;
    started_at: string;
    events: number;
    page_views: number;
    sessions: number;
    visitors: number;
    bands: { cold: number; warm: number; hot: number };
    conversions: number;
    value_thousandths: number;
    automated_events: number;
}

export interface Minutes {
    site: string;
    as_of: number;
    minutes: Minute[];
    totals: {
        events: number;
        page_views: number;
        sessions: number;
        conversions: number;
        value_thousandths: number;
        automated_events: number;
        channels: Record<string, number>;
        pages: { path: string; page_views: number }[];
        other_page_views: number;
    };
}

export interface Site {
    name: string;
    time_zone: string;
    currency: string;
}

export interface QueryColumn {
    name: string;
    type: string;
    currency?: string;
    /** Set where money is in minor units: how many digits of it stand behind the point. */
    minor_digits?: number;
}

/** What `POST /query` answers. `c` and `change` are there when it was asked to compare. */
export interface QueryAnswer {
    columns: QueryColumn[];
    rows: { d: (string | null)[]; t?: string; m: (number | null)[]; c?: (number | null)[] }[];
    totals: {
        m: (number | null)[];
        c?: (number | null)[];
        change?: (number | null)[];
        noise?: boolean[];
    };
    meta: { as_of: string; approximate?: Record<string, unknown>; warnings?: unknown[] };
    next_cursor: string | null;
}

export interface Page<T> {
    items: T[];
    next_cursor: string | null;
}
