import { now as clock } from '../core/natives';
import type { Tracker } from '../core/tracker';
import { isPrivate, isTextField, nameOf, targetOf } from './elements';
import type { FormBook } from './formbook';
import { makeFormBook } from './formbook';
import { FIELD_CHARACTERS, FORM_CHARACTERS, LEFT, PROGRESS, START, SUBMIT } from './limits';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Watched { element: Element; name: string; book: FormBook; submitted: boolean }

export interface FormWatch {
    /** Reports fields that were finished since the last report. */
    progress(): void;
    /** The page is being left: forms that were begun and not submitted are reported as left. */
    leave(): void;
}

const controlsOf = (form: Element): Control[] => {
    const controls = [...form.querySelectorAll<Control>('input,select,textarea')];
    return controls.filter((control) => !/^(hidden|submit|button|reset|image)$/.test(control.type));
};

/** Valid required fields out of all required, percent; without required ones, of all fields. */
const completion = (form: Element): number => {
    const controls = controlsOf(form);
    const required = controls.filter((control) => control.required);
    const counted = required.length ? required : controls;
    // `validity` is only looked at: `checkValidity` would raise events in the host's page.
    const valid = counted.filter((control) => control.validity.valid && control.value !== '');
    return counted.length ? Math.round((100 * valid.length) / counted.length) : 0;
};

export const watchForms = (tracker: Tracker): FormWatch => {
    const watched: Watched[] = [];

    function formOf(target: Element): Watched | null {
        const element = target.closest('form,[data-form]');
        return element && target.matches('input,select,textarea') ? known(element) : null;
    }
    function known(element: Element): Watched {
        let form = watched.filter((other) => other.element === element)[0];
        if (!form) {
            const name = nameOf(element, FORM_CHARACTERS);
            form = { element, name, book: makeFormBook(), submitted: false };
            watched.push(form);
        }
        return form;
    }
    function report(form: Watched, phase: number): void {
        const ends = phase >= SUBMIT;
        const rows = form.book.take(clock(), ends);
        tracker.emit('fm', {
            f: form.name, ph: phase, ff: rows.length ? rows : undefined,
            cp: completion(form.element), sb: phase === SUBMIT || form.submitted ? 1 : 0,
        }, phase === START || phase === SUBMIT);
    }
    function onControl(type: string,
        act: (form: Watched, field: string, target: Element, event: any) => void): void {
        tracker.guard.on(type, 'forms', (event: Event) => {
            const target = targetOf(event);
            const form = target && formOf(target);
            if (form) act(form, nameOf(target!, FIELD_CHARACTERS), target!, event);
        });
    }
    onControl('focusin', (form, field) => form.book.focus(field, clock()));
    onControl('focusout', (form, field, target) => {
        form.book.blur(field, clock());
        if (target.getAttribute('aria-invalid') === 'true') form.book.error(field);
    });
    onControl('input', (form, field, target, event: InputEvent) => {
        const deleting
            = !isPrivate(target) && isTextField(target) && /^delete/.test(event.inputType || '');
        if (form.book.input(field, clock(), deleting)) report(form, START);
    });
    onControl('invalid', (form, field) => form.book.error(field));
    tracker.guard.on('submit', 'forms', (event: Event) => {
        const form = known(
            (event.target as Element).closest('form,[data-form]') || (event.target as Element));
        const invalid = controlsOf(form.element).filter((control) => !control.validity.valid);
        // A form that checks its fields by itself raises `submit` for attempts that fail, too.
        invalid.forEach((control) => form.book.error(nameOf(control, FIELD_CHARACTERS)));
        form.submitted = invalid.length === 0;
        report(form, form.submitted ? SUBMIT : PROGRESS);
    });
    return {
        progress() {
            watched.forEach((form) => {
                if (form.book.started && !form.submitted && form.book.hasNews())
                    report(form, PROGRESS);
            });
        },
        leave() {
            watched.forEach((form) => {
                if (form.book.started && !form.submitted) report(form, LEFT);
            });
            watched.length = 0;
        },
    };
};
