import { FAILURES_MAXIMUM } from './limits';
import { original } from './natives';

export interface Guard {
    /** Wraps a callback of collector `name`: it never throws, and rests after three failures. */
    wrap<A extends unknown[]>(name: string, action: (...given: A) => void): (...given: A) => void;
    /**
     * Adds a passive capturing listener whose callback is wrapped, for each of the event types in
     * `types`, which are separated by spaces.
     */
    listen(target: EventTarget, types: string, name: string, action: (event: any) => void): void;
    /** The same for the document. */
    on(types: string, name: string, action: (event: any) => void): void;
    later(milliseconds: number, name: string, action: () => void): number;
    /** Runs when the browser is idle, after `timeoutMilliseconds` at the latest. */
    idle(name: string, timeoutMilliseconds: number, action: () => void): void;
}

/** `report` is called once per collector, with its name and the kind of error. */
export const makeGuard = (report: (collector: string, kind: string) => void): Guard => {
    const failures: { [name: string]: number } = {};

    const wrap: Guard['wrap'] = (name, action) => (...given) => {
        if (failures[name] >= FAILURES_MAXIMUM) return;
        try {
            action(...given);
        } catch (error) {
            failures[name] = (failures[name] || 0) + 1;
            if (failures[name] === 1) report(name, String((error as Error)?.name).slice(0, 64));
        }
    };
    // Taken now: the page may break them later.
    const timeout = original(window, 'setTimeout');
    const idle = window.requestIdleCallback;
    const later: Guard['later'] = (milliseconds, name, action) =>
        timeout.call(window, wrap(name, action), milliseconds);

    const listen: Guard['listen'] = (target, types, name, action) => {
        for (const type of types.split(' ')) {
            original(target, 'addEventListener').call(
                target, type, wrap(name, action), { capture: true, passive: true });
        }
    };

    return {
        wrap,
        later,
        listen,
        on: (types, name, action) => listen(document, types, name, action),
        idle(name, milliseconds, action) {
            if (idle) idle.call(window, wrap(name, action), { timeout: milliseconds });
            else later(Math.min(milliseconds, 50), name, action);
        },
    };
};
