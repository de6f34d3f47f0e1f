import './world';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { watchSignals } from '../src/parts/dialogues';

const nobody = () => undefined;

test('a page without dialogues tells nothing', () => {
    assert.equal(JSON.stringify(watchSignals({}, nobody)()), '{}');
});

test('what each dialogue says goes along, and a changed answer is called out', () => {
    let tell: (told: { tcString: string }) => void = nobody;
    let changes = 0;
    const signals = watchSignals({
        __tcfapi: (command, version, take) => {
            assert.deepEqual([command, version], ['addEventListener', 2]);
            tell = take;
        },
        __gpp: (command, take) => take({ pingData: { gppString: 'DBABM~x' } }),
        __uspapi: (command, version, take) => take({ uspString: '1YNN' }),
        dataLayer: [
            ['js'], ['consent', 'default', { ad_storage: 'denied', analytics_storage: 'denied' }],
            ['consent', 'update', { analytics_storage: 'granted', ad_user_data: 'granted' }],
        ],
    }, () => changes++);
    const first = JSON.parse(JSON.stringify(signals()));
    assert.deepEqual(first, { gp: 'DBABM~x', up: '1YNN', gm: 'gdgu' });
    tell({ tcString: 'C1' });
    assert.deepEqual([signals().tc, changes], ['C1', 0]);
    tell({ tcString: 'C1' });
    tell({ tcString: 'C2' });
    assert.deepEqual([signals().tc, changes], ['C2', 1]);
    tell({ tcString: 'x'.repeat(2049) });
    assert.equal(signals().tc, undefined);
});

test('a dialogue that throws, or a state that nobody knows, says nothing', () => {
    const signals = watchSignals({
        __tcfapi: () => { throw Error('no'); },
        dataLayer: [['consent', 'default', { ad_storage: 'maybe' }]],
    }, nobody);
    assert.equal(JSON.stringify(signals()), '{}');
});
