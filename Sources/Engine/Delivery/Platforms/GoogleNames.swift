/// Names that GA4 knows, reserves and allows (conversions.md 2.3, 2.4).
enum GoogleNames {
    /// Letters, digits and `_`, a letter first, at most 40.
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 40 else {
            return false
        }
        return name.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == 95 }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (65...90).contains(byte) || (97...122).contains(byte)
    }

    private static let prefixes = ["firebase_", "ga_", "google_", "gtag."]

    /// Whether an event may have the name. `isGiven` says that the operator chose it, who may mean
    /// one of those that the browser's tag sends by itself.
    static func isEvent(_ name: String, isGiven: Bool) -> Bool {
        guard isName(name), !reserved.contains(name), !prefixes.contains(where: name.hasPrefix)
        else { return false }
        return isGiven
            || !automatic.contains(name) && !automaticPrefixes.contains(where: name.hasPrefix)
    }

    /// Whether a parameter may have the name.
    static func isParameter(_ name: String) -> Bool {
        isName(name) && name != "firebase_conversion" && !prefixes.contains(where: name.hasPrefix)
    }

    private static let reserved = Set(
        """
        ad_activeview ad_click ad_exposure ad_query ad_reward adunit_exposure app_clear_data \
        app_exception app_install app_remove app_store_refund app_update app_upgrade \
        dynamic_link_app_open dynamic_link_app_update dynamic_link_first_open error \
        firebase_campaign firebase_in_app_message_action firebase_in_app_message_dismiss \
        firebase_in_app_message_impression first_open first_visit notification_dismiss \
        notification_foreground notification_open notification_receive notification_send os_update \
        session_start user_engagement ad_impression in_app_purchase screen_view
        """.split(separator: " ").map { String($0) }
    )

    /// What the tag's enhanced measurement sends.
    private static let automatic: Set<String> = [
        "click", "scroll", "file_download", "form_start", "form_submit", "view_search_results",
    ]
    private static let automaticPrefixes = ["video_", "app_store_subscription_"]
}
