// Signs this browser in: by the code behind the address's #, which no server and no log sees, or by a token.
const place = (id) => document.getElementById(id);

/** Where to go then: a page of this server, whatever the address says. */
function target() {
    const wanted = new URLSearchParams(location.search).get('next') || '/';
    try {
        const url = new URL(wanted, location.origin);
        return url.origin === location.origin ? url.pathname + url.search : '/';
    } catch {
        return '/';
    }
}

async function signIn(token) {
    const answer = await fetch('/api/v1/session', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ token }),
    });
    if (answer.ok) return location.replace(target());
    if (answer.status === 429) throw new Error('Too many tries. Wait a minute and try again.');
    if (answer.status === 401) throw new Error('That is not valid, or not any more.');
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail || `The companion answered ${answer.status}.`);
}

async function attempt(token) {
    place('said').textContent = 'Signing in…';
    try {
        await signIn(token);
    } catch (error) {
        place('said').textContent = error.message;
    }
}

place('form').addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(place('token').value.trim());
});

const code = location.hash.slice(1);
if (code) {
    // Out of the history before anything else.
    history.replaceState(null, '', location.pathname + location.search);
    attempt(code);
}
