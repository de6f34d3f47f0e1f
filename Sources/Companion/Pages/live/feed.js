// Where the live page's data comes from: three read requests and one stream of events.
const SITE = 'demo';
const RETRY_MILLISECONDS = 2_000;
const RETRY_MAXIMUM_MILLISECONDS = 15_000;

async function read(path) {
    const answer = await fetch(path, { headers: { Accept: 'application/json' } });
    if (answer.status === 401) location.assign('/welcome?next=%2F');
    if (!answer.ok) throw new Error(`answer ${answer.status}`);
    return answer.json();
}

/** The newest visitors, newest first. */
export async function readVisitors(limit) {
    const { visitors } = await read(`/api/v1/visitors?site=${SITE}&limit=${limit}`);
    return visitors;
}

/** One visitor with the terms of the score. */
export function readVisitor(visitor) {
    return read(`/api/v1/visitors/${encodeURIComponent(visitor)}?site=${SITE}`);
}

/** The last minutes of the site, the oldest first, and what they add up to. */
export function readMinutes(count) {
    return read(`/api/v1/sites/${SITE}/live/minutes?last=${count}`);
}

/** Calls `onScore` with each change and `onState` with `live` or `lost`, while the page is open. */
export function listen({ onState, onScore }) {
    let wait = RETRY_MILLISECONDS;
    connect();

    function connect() {
        const source = new EventSource(`/api/v1/live?site=${SITE}`);
        const alive = () => {
            wait = RETRY_MILLISECONDS;
            onState('live');
        };
        source.addEventListener('open', alive);
        source.addEventListener('hello', alive);
        source.addEventListener('score', (event) => {
            const values = parsed(event.data);
            if (values) onScore(values);
        });
        source.addEventListener('error', () => {
            onState('lost');
            // The browser tries again by itself, unless the server answered with an error.
            if (source.readyState !== EventSource.CLOSED) return;
            setTimeout(connect, wait);
            wait = Math.min(wait * 2, RETRY_MAXIMUM_MILLISECONDS);
        });
    }
}

function parsed(text) {
    try {
        const values = JSON.parse(text);
        return typeof values.visitor === 'string' && Number.isFinite(values.score) ? values : null;
    } catch {
        return null;
    }
}
