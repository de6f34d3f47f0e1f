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
    meta: Worth & { approximate?: Record<string, unknown> };
    next_cursor: string | null;
}

export interface Page<T> {
    items: T[];
    next_cursor: string | null;
}

/** One thing that a step of a funnel may be, as `POST /funnel` takes it. */
export interface FunnelMark {
    page?: string;
    event?: string;
    conversion?: string;
    form?: string;
    phase?: string;
}

export interface FunnelAnswer {
    steps: {
        of: FunnelMark[];
        visitors: number;
        step_rate: number | null;
        overall_rate: number | null;
        median_ms: number | null;
        median_total_ms: number | null;
    }[];
    meta: Worth & { order: string; window_s: number };
}

/** What every answer of figures says about itself. */
export interface Worth {
    as_of: string | null;
    warnings?: string[];
}

export interface Goal {
    metric: string;
    title: string;
    unit: string;
    period: string;
    target: number;
    value: number | null;
    expected: number;
    pace: number | null;
    updated_at: number;
    updated_by: string;
    currency?: string;
    minor_digits?: number;
}

export interface VainClicks {
    page: string;
    element: string;
    tag: string;
    rage: number;
    dead: number;
    error: number;
    visitors: number;
}

export interface Outline {
    page: string | null;
    visitors: number;
    page_views: number;
    observed_page_views: number;
    clicks: number;
    friction: { rage: number; dead: number; error: number };
    pages: { page: string; page_views: number }[];
    sections: {
        place: number;
        category: string;
        words: number;
        visitors: number;
        page_views: number;
        visible_percent: number | null;
        dwell_ms: number;
        dwell_share: number | null;
        dwell_median_ms: number | null;
        clicks: number;
        returns: number;
    }[];
    elements: VainClicks[];
    meta: Worth;
}

export interface FormField {
    field: string;
    reached: number;
    reached_rate: number | null;
    errors: number;
    with_errors: number;
    returns: number;
    corrections: number;
    time_avg_ms: number | null;
    left_here: number;
}

export interface Form {
    form: string;
    visitors: number;
    begun: number;
    submitted: number;
    submit_rate: number | null;
    fields: FormField[];
}
