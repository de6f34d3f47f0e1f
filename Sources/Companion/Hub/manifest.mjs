// Writes manifest.json: bytes of every file, raw and compressed, and which the first screen loads.
// Ends with status 1 when those are more than the budget.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [folder, budgetText] = process.argv.slice(2);
const budget = Number(budgetText);
const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8'));

const outputs = new Map(
    Object.entries(meta.outputs).map(([path, output]) => [basename(path), output]),
);

/** A module and all that it imports at once; what it loads later is not counted. */
function closure(name, seen = new Set()) {
    if (seen.has(name)) return seen;
    seen.add(name);
    for (const one of outputs.get(name)?.imports ?? []) {
        if (one.kind === 'import-statement') closure(basename(one.path), seen);
    }
    return seen;
}

const overview = [...outputs].find(([, one]) => one.entryPoint?.endsWith('pages/overview.ts'));
const first = new Set(['index.html', 'hub.css', ...closure('hub.js'), ...closure(overview[0])]);
const files = {};
for (const name of readdirSync(folder)) {
    if (!/\.(html|css|js|svg)$/.test(name)) continue;
    files[name] = {
        bytes: statSync(join(folder, name)).size,
        compressed: statSync(join(folder, name + '.gz')).size,
        first: first.has(name),
    };
}
const total = Object.values(files)
    .filter((one) => one.first)
    .reduce((sum, one) => sum + one.compressed, 0);
writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ budget, first_screen_compressed: total, files }, null, 2) + '\n',
);
for (const [name, one] of Object.entries(files)) {
    console.log(`hub: ${name} ${one.bytes} / ${one.compressed}${one.first ? ' first' : ''}`);
}
console.log(`hub: first screen ${total} of ${budget} bytes compressed`);
if (total > budget) process.exit(1);
