// Writes manifest.json into a folder of built files, and prints their sizes. Fails when one is over
// its budget: a site's owner is promised that this script stays small.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// `gzip` is what any server makes of it; the .gz files that the engine serves are smaller still.
const BUDGETS = {
    'hg.js': { bytes: 38_000, gzip: 15_100 },
    'hg-core.js': { bytes: 10_000 },
    'hg.mjs': { bytes: 38_000, gzip: 15_100 },
};

const folder = process.argv[2];
const version = JSON.parse(readFileSync(new URL('package.json', import.meta.url))).version;
const size = (path) => (existsSync(path) ? statSync(path).size : null);
const gzipped = (path) => execFileSync('gzip', ['-9', '-n', '-c', path]).length;
const digest = (algorithm, body, encoding) => createHash(algorithm).update(body).digest(encoding);

const files = {};
let over = false;
for (const [name, budget] of Object.entries(BUDGETS)) {
    const path = join(folder, name);
    const body = readFileSync(path);
    const sizes = { bytes: body.length, gzip: size(path + '.gz'), brotli: size(path + '.br') };
    files[name] = {
        ...sizes, sri: 'sha384-' + digest('sha384', body, 'base64'),
        hash: digest('sha256', body, 'hex').slice(0, 12),
    };
    const plain = { bytes: body.length, gzip: gzipped(path) };
    const limits = Object.entries(budget).map(([what, most]) => `${what} ≤ ${most}`).join(', ');
    console.log(`sdk-js: ${name} ${plain.bytes} bytes, ${plain.gzip} gzip -9, served as `
        + `${sizes.gzip} gzip, ${sizes.brotli} brotli (budget ${limits})`);
    over ||= Object.entries(budget).some(([what, most]) => plain[what] > most);
}
writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ version, files }, null, 2) + '\n');
process.exitCode = over ? 1 : 0;
