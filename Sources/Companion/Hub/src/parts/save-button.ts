import { h } from '../core/dom';
import { saveRows } from '../core/save';

/** A button that saves rows of the range; `filter` is asked when it is pressed. */
export function saveButton(kind: string, filter: () => Record<string, string>): HTMLElement {
    const button = h('button', { class: 'small', type: 'button' }, 'Save CSV');
    button.setAttribute('aria-label', `Save ${kind} of this period as CSV`);
    button.addEventListener('click', () => {
        button.disabled = true;
        const wanted = Object.entries(filter()).filter(([, value]) => value);
        void saveRows(kind, Object.fromEntries(wanted)).finally(() => {
            button.disabled = false;
        });
    });
    return button;
}
