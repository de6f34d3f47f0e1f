// names.mjs <file>: writes what the build renames members to, as esbuild's --mangle-cache takes it,
// and prints the pattern of these members for its --mangle-props. They are those that are declared
// in src/*.ts and neither by the browser nor in a .d.ts file (src/outside.d.ts holds every name
// that somebody else reads). Members that never meet in one object share a name: the fewer there
// are, the better they compress. Fails where a type that describes something from outside stands
// elsewhere, since its members would be renamed, too.
import { createRequire } from 'node:module';
import { realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';

const SHORTEST = 3; // Shorter ones gain nothing; most names on the wire are as short.
const compiler = realpathSync(execFileSync('which', ['tsc'], { encoding: 'utf8' }).trim());
const ts = createRequire(import.meta.url)(join(dirname(compiler), '../lib/typescript.js'));

const folder = dirname(new URL(import.meta.url).pathname);
const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
// Tests run with the renamed members, too.
const tests = ts.sys.readDirectory(join(folder, 'test'), ['.ts']);
const program = ts.createProgram([...fileNames, ...tests], options);
const checker = program.getTypeChecker();

const kept = new Set();
const own = new Set();
const faults = [];

const isMember = (node) => ts.isPropertySignature(node) || ts.isMethodSignature(node)
    || ts.isPropertyDeclaration(node) || ts.isPropertyAssignment(node)
    || ts.isShorthandPropertyAssignment(node) || ts.isMethodDeclaration(node)
    || ts.isGetAccessor(node) || ts.isSetAccessor(node);

/** `x as { member: … }` says that somebody else made x. */
function isCast(node) {
    for (let at = node.parent; at; at = at.parent) {
        if (ts.isAsExpression(at)) return ts.isTypeNode(node.parent) && node.pos >= at.type.pos;
        if (ts.isStatement(at)) return false;
    }
    return false;
}

/** Keys that are data must be quoted: nothing else tells them from members. */
function isData(node) {
    if (!ts.isObjectLiteralExpression(node.parent)) return false;
    const type = checker.getContextualType(node.parent);
    return Boolean(type) && checker.getIndexInfosOfType(checker.getNonNullableType(type)).length > 0
        && !type.getProperty(node.name.text);
}

function visit(node, file) {
    const global = file.isDeclarationFile
        && (ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node));
    if ((isMember(node) || global) && node.name && ts.isIdentifier(node.name)) {
        (file.isDeclarationFile ? kept : own).add(node.name.text);
        if (!file.isDeclarationFile && (isCast(node) || isData(node))) {
            faults.push(`${file.fileName}: ${node.getText()}`);
        }
    }
    ts.forEachChild(node, (child) => visit(child, file));
}

for (const file of program.getSourceFiles()) {
    if (!tests.includes(file.fileName)) visit(file, file);
}
const unknown = faults.filter((fault) => !kept.has(/: (\w+)/.exec(fault)[1]));
if (unknown.length) {
    console.error('The build would rename these: quote keys that are data, and declare what '
        + 'somebody else reads in src/outside.d.ts.\n' + unknown.join('\n'));
    process.exit(1);
}
const names = [...own].filter((name) => name.length >= SHORTEST && !kept.has(name));

/** Of each name, those that are members of the same object somewhere, and how often it is used. */
const met = new Map(names.map((name) => [name, new Set()]));
const uses = new Map(names.map((name) => [name, 0]));

/** An object seen as several types has the members of them all. */
function membersOf(type) {
    if (!type) return [];
    if (type.isUnion()) return type.types.flatMap(membersOf);
    const isObject = type.isIntersection() || type.flags & ts.TypeFlags.Object;
    return isObject ? type.getProperties().map((member) => member.name) : [];
}

function meet(node) {
    if (ts.isIdentifier(node) && uses.has(node.text)) uses.set(node.text, uses.get(node.text) + 1);
    const members = ts.isExpression(node) ? [checker.getTypeAtLocation(node),
        checker.getContextualType(node)].flatMap(membersOf) : [];
    for (const name of members.filter((member) => met.has(member))) {
        members.forEach((member) => met.get(name).add(member));
    }
    ts.forEachChild(node, meet);
}

// The letters that the minifier likes best for variables, in its order.
const LETTERS = 'tenriolacusdhpfmgywbvMkxSEALTICDNjRBPqHUYXzKFWGOVZJQ_$';
const chosen = new Map();
const isFree = (letter, name) => ![...met.get(name)]
    .some((member) => member === letter || member !== name && chosen.get(member) === letter);

for (const file of program.getSourceFiles()) {
    if (!file.isDeclarationFile) ts.forEachChild(file, meet);
}
// Most used first, so that these get the best letters.
const byUses = (left, right) => uses.get(right) - uses.get(left) || (left < right ? -1 : 1);
for (const name of names.sort(byUses)) {
    chosen.set(name, [...LETTERS].find((letter) => isFree(letter, name)) || name);
}
writeFileSync(process.argv[2], JSON.stringify(Object.fromEntries(chosen)));
console.log(`^(${names.join('|')})$`);
