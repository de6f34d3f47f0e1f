// Tables as files. The companion writes them, so that there is one guard against what spreadsheets
// would work out, and files hold all rows, not only those that are shown.

import { blobOf, send } from './api';
import { tell } from './hub';
import { readScope } from './scope';

const KEPT_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 700;

function download(address: string, name: string): void {
    const link = document.createElement('a');
    link.href = address;
    link.download = name;
    link.click();
}

/** Saves the answer to a question to `POST /query`. */
export async function saveFigures(name: string, question: unknown): Promise<void> {
    try {
        const blob = await blobOf('/query', question, 'text/csv');
        const address = URL.createObjectURL(blob);
        download(address, `${name.replace(/[^\w.-]+/g, '-')}.csv`);
        setTimeout(() => URL.revokeObjectURL(address), KEPT_MILLISECONDS);
    } catch (error) {
        tell('say', `Not saved: ${error instanceof Error ? error.message : 'no answer'}`);
    }
}

interface Export {
    id: string;
    state: 'waiting' | 'running' | 'ready' | 'failed';
    rows: number;
    complete: boolean;
    reason?: string;
}

/** Orders rows of the site and the range that are looked at, waits for the file, and saves it. */
export async function saveRows(kind: string, filter: Record<string, string>): Promise<void> {
    const { site, range } = readScope();
    try {
        const order = { site, kind, format: 'csv', range: range.query, filter };
        let made = await send<Export>('POST', '/exports', order);
        tell('say', `The file of ${kind} is being made.`);
        while (made.state === 'waiting' || made.state === 'running') {
            await new Promise((done) => setTimeout(done, LOOK_MILLISECONDS));
            made = await send<Export>('GET', `/exports/${made.id}`);
        }
        if (made.state === 'failed') throw new Error(made.reason ?? 'the export failed');
        download(`/api/v1/exports/${made.id}/file`, '');
        const rest = made.complete ? '' : ` Not all: ${made.reason ?? 'it was too long'}.`;
        tell('say', `${made.rows} ${kind} saved.${rest}`);
    } catch (error) {
        tell('say', `Not saved: ${error instanceof Error ? error.message : 'no answer'}`);
    }
}
