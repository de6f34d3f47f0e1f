// The demo shop's own script, and the SDK's queue stub: calls made before hg.js has loaded wait
// with their time. (A site usually pastes the stub into its page; here it is in a file, so that
// the shop works under a content security policy without inline scripts.)
window.hg = window.hg || function () {
    (window.hg.q = window.hg.q || []).push([Date.now(), arguments]);
};

(function () {
    'use strict';

    const names = {
        'halden-one': 'Halden One', 'halden-arc': 'Halden Arc', 'halden-disc': 'Halden Disc',
        keep: 'Keep plan', swap: 'Swap plan', studio: 'Studio plan',
    };
    const key = 'halden.basket';

    function basket() {
        try {
            return JSON.parse(sessionStorage.getItem(key)) || [];
        } catch {
            return [];
        }
    }

    function keep(items) {
        try {
            sessionStorage.setItem(key, JSON.stringify(items));
        } catch {
            // Without storage the basket lasts for this page.
        }
        show(items);
    }

    function total(items) {
        return items.reduce((sum, item) => sum + item.price, 0);
    }

    function show(items) {
        document.querySelectorAll('[data-basket-count]').forEach((place) => {
            place.textContent = String(items.length);
        });
        document.querySelectorAll('[data-basket]').forEach((list) => {
            list.replaceChildren(...(items.length ? items.map(row) : [emptyRow()]));
        });
        document.querySelectorAll('[data-basket-total]').forEach((place) => {
            place.textContent = '€' + total(items);
        });
    }

    function row(item) {
        const line = document.createElement('li');
        const price = document.createElement('span');
        line.textContent = names[item.id] || item.id;
        price.textContent = '€' + item.price;
        line.append(price);
        return line;
    }

    function emptyRow() {
        const line = document.createElement('li');
        line.textContent = 'Nothing yet. We would put a Halden One in.';
        return line;
    }

    function add(id, price, event) {
        keep(basket().concat({ id, price }));
        window.hg(event, { item: id, value: price, currency: 'EUR' });
    }

    function watchBuying() {
        document.querySelectorAll('[data-add]').forEach((control) => {
            control.addEventListener('click', () => {
                add(control.dataset.add, Number(control.dataset.price), 'add_to_cart');
                if (control.tagName === 'BUTTON') control.textContent = 'In your basket. One more?';
            });
        });
        document.querySelectorAll('[data-plan]').forEach((control) => {
            control.addEventListener('click', () => {
                add(control.dataset.plan, Number(control.dataset.price), 'select_plan');
                location.href = '/demo/checkout.html';
            });
        });
    }

    const lamps = {
        arc: ['Halden Arc', 'Floor lamp', 489, 'A wide arc of soft light over your chair.'],
        disc: ['Halden Disc', 'Wall lamp', 329, 'A small sun for the wall that has no window.'],
    };

    // The product page shows the One; the others differ in name, price and picture.
    function showLamp() {
        const id = new URLSearchParams(location.search).get('lamp');
        const control = document.querySelector('[data-add=halden-one]');
        if (!Object.hasOwn(lamps, id || '') || !document.querySelector('[data-lamp-name]')) return;
        const [name, kind, price, words] = lamps[id];
        const put = (part, text) => {
            document.querySelector('[data-lamp-' + part + ']').textContent = text;
        };
        put('name', name);
        put('kind', kind);
        put('price', '€' + price);
        put('words', words);
        const picture = document.querySelector('[data-lamp-picture]');
        picture.src = '/demo/' + id + '.svg';
        picture.alt = name + ' at dusk';
        document.querySelector('.thumbs').hidden = true;
        document.title = name + ' · Halden';
        control.dataset.add = 'halden-' + id;
        control.dataset.price = String(price);
    }

    function watchGallery() {
        const picture = document.getElementById('picture');
        const buttons = document.querySelectorAll('[data-picture]');
        buttons.forEach((button) => {
            button.addEventListener('click', () => {
                picture.src = button.dataset.picture;
                picture.alt = button.getAttribute('aria-label');
                buttons.forEach((other) => {
                    other.setAttribute('aria-pressed', String(other === button));
                });
            });
        });
    }

    function watchSearch() {
        const form = document.querySelector('[data-form=search]');
        if (!form) return;
        const result = form.querySelector('[data-search-result]');
        form.addEventListener('submit', (event) => event.preventDefault());
        form.addEventListener('input', () => {
            const words = form.q.value.trim().toLowerCase();
            let found = 0;
            document.querySelectorAll('.card').forEach((card) => {
                card.hidden = !card.textContent.toLowerCase().includes(words);
                found += card.hidden ? 0 : 1;
            });
            result.textContent = words ? found + (found === 1 ? ' lamp' : ' lamps') : '';
        });
    }

    // ---- the room on the demo page

    function mix(from, to, share) {
        const parts = from.map((part, index) => Math.round(part + (to[index] - part) * share));
        return 'rgb(' + parts.join(' ') + ')';
    }

    function light(hour) {
        const height = Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI));
        return { height, kelvin: Math.round((2700 + 3800 * Math.sqrt(height)) / 50) * 50 };
    }

    function paintRoom(hour) {
        const { height, kelvin } = light(hour);
        const lamp = mix([255, 196, 120], [244, 250, 255], height);
        const set = (id, colour) => document.getElementById(id).setAttribute('fill', colour);
        set('sky', mix([24, 28, 52], [176, 216, 240], height));
        set('wall', mix([54, 44, 44], [226, 216, 200], height));
        set('bulb', lamp);
        for (const stop of ['halo-in', 'halo-out']) {
            document.getElementById(stop).setAttribute('stop-color', lamp);
        }
        const inner = document.getElementById('halo-in');
        inner.setAttribute('stop-opacity', String(0.85 - 0.1 * height));
        const minutes = Math.round((hour % 1) * 60);
        document.getElementById('hour-shown').textContent =
            String(Math.floor(hour)).padStart(2, '0') + ':' + String(minutes).padStart(2, '0');
        document.getElementById('kelvin').textContent =
            kelvin.toLocaleString('en') + ' kelvin, ' + (height > 0.3 ? 'full light' : 'low light');
    }

    function watchDemo() {
        const slider = document.getElementById('hour');
        if (!slider) return;
        let begun = false;
        slider.addEventListener('input', () => {
            paintRoom(Number(slider.value));
            if (!begun) window.hg('track', 'demo_start', { item: 'halden-one' });
            begun = true;
        });
        paintRoom(Number(slider.value));
    }

    // ---- checkout

    function complain(field) {
        const place = document.querySelector('[data-error-for="' + field.name + '"]');
        const missing = field.type === 'checkbox' ? 'Please confirm this.' : 'Please fill this in.';
        const message = field.validity.valueMissing ? missing : field.validationMessage;
        field.setAttribute('aria-invalid', String(!field.validity.valid));
        if (place) place.textContent = field.validity.valid ? '' : message;
    }

    function order(form) {
        const items = basket().length ? basket() : [{ id: 'halden-one', price: 249 }];
        const number = 'H-' + Date.now().toString(36).toUpperCase();
        try {
            sessionStorage.setItem('halden.order', JSON.stringify({ number, value: total(items) }));
        } catch {
            // The thank-you page then speaks without a number.
        }
        keep([]);
        form.reset();
        location.href = '/demo/thanks.html';
    }

    function watchCheckout() {
        const form = document.getElementById('checkout');
        if (!form) return;
        const fields = Array.from(form.elements).filter((field) => field.name);
        fields.forEach((field) => {
            field.addEventListener('blur', () => {
                if (field.value) complain(field);
            });
        });
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            fields.forEach(complain);
            const wrong = fields.filter((field) => !field.checkValidity())[0];
            if (wrong) wrong.focus();
            else order(form);
        });
    }

    function thank() {
        const place = document.querySelector('[data-thanks]');
        if (!place) return;
        let placed = null;
        try {
            placed = JSON.parse(sessionStorage.getItem('halden.order'));
            sessionStorage.removeItem('halden.order');
        } catch {
            // Came here without an order: nothing to report.
        }
        if (!placed) return;
        place.textContent = 'Order ' + placed.number + ' is placed, in so far as a demo can. '
            + 'The workshop would be wrapping a lamp now.';
        window.hg('purchase', { order_id: placed.number, value: placed.value, currency: 'EUR' });
    }

    document.addEventListener('DOMContentLoaded', () => {
        show(basket());
        showLamp();
        watchBuying();
        watchGallery();
        watchSearch();
        watchDemo();
        watchCheckout();
        thank();
    });
})();
