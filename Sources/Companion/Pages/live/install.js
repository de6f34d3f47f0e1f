// The install page: buttons that copy, and whether events come. The page is whole without it.
const LOOK_MILLISECONDS = 2_000;
const SAID_MILLISECONDS = 2_000;

const place = (id) => document.getElementById(id);
const site = place('main').dataset.site;

async function copy(button) {
    const code = place(button.dataset.copy);
    try {
        await navigator.clipboard.writeText(code.textContent);
        say(button, 'Copied');
    } catch {
        // Without TLS, or not allowed: at least everything is selected.
        getSelection().selectAllChildren(code);
        say(button, 'Selected');
    }
}

function say(button, word) {
    button.textContent = word;
    setTimeout(() => { button.textContent = 'Copy'; }, SAID_MILLISECONDS);
}

for (const button of document.querySelectorAll('[data-copy]')) {
    const code = place(button.dataset.copy);
    button.setAttribute('aria-label', `Copy: ${code.parentElement.getAttribute('aria-label')}`);
    button.addEventListener('click', () => copy(button));
    button.hidden = false;
}

/** Says a state once; what has not changed is not read out again. */
function show(seen, text) {
    place('verdict').dataset.seen = seen;
    if (place('verdict-text').textContent !== text) place('verdict-text').textContent = text;
}

async function look() {
    try {
        const path = `/api/v1/sites/${encodeURIComponent(site)}/live/minutes?last=60`;
        const answer = await fetch(path);
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const { events, automated_events: automated } = (await answer.json()).totals;
        const count = events + automated;
        const noun = count === 1 ? '1 event has' : `${count.toLocaleString('en')} events have`;
        if (count > 0) show('yes', `It works: ${noun} come within the last hour.`);
        else show('no', 'No event has come within the last hour.');
    } catch {
        show('unknown', 'The engine cannot be asked right now.');
    }
}

place('watching').hidden = false;
setInterval(() => { if (!document.hidden) look(); }, LOOK_MILLISECONDS);
document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
