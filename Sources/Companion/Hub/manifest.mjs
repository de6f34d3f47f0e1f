// Writes manifest.json: bytes of every file, raw and compressed, and which the first screen loads.
// Ends with status 1 when those are more than the budget.
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstModules } from './first.mjs';

const [folder, budgetText] = process.argv.slice(2);
const budget = Number(budgetText);
const first = new Set(['index.html', 'hub.css', ...firstModules(folder)]);
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
