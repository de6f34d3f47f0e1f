/**
 * The conversions that every part of Heliograph knows: the engine's `CanonicalConversion` has the
 * same names, and a test holds both lists against each other.
 */
export const CANONICAL = 'page_view view_content search add_to_cart add_to_wishlist '
    + 'initiate_checkout add_payment_info purchase lead complete_registration contact schedule '
    + 'start_trial subscribe submit_application find_location customize_product donate';

/** What shops call them, and what the SDK's own commands are called. */
export const USUAL: { [name: string]: string } = {
    'view_item': 'view_content', 'begin_checkout': 'initiate_checkout', 'generate_lead': 'lead',
    'sign_up': 'complete_registration', 'book_demo': 'schedule',
};

/**
 * The canonical name of a conversion; empty for what is none. Views of pages, which stand first, are
 * too many for one.
 */
export const canonical = (name: string): string => {
    const usual = USUAL[name] || name;
    return CANONICAL.split(' ').indexOf(usual) > 0 ? usual : '';
};
