/// What the beacons of the two loads say: the SDK's wire format with marks in it.
enum BeaconTexts {
    /// Every key of a batch before its events. Consent 7 is measurement, storage and profiling.
    private static let envelope =
        #"{"v":1,"k":"hg_demo","b":"<batch>","st":<sent>,"mt":<clock>,"w":"<window>","#
        + #""q":<number>,"d":"<device>","s":"<session>","c":7,"#

    private static let context =
        #""x":{"l":"<pick:en-GB|de-DE|fr-FR|nl-NL>","z":<pick:0|60|120>,"#
        + #""vw":<pick:1280|1440|1536|1920>,"vh":<int:720:1080>,"pr":<pick:1|2>,"in":1},"#

    private static func batch(_ events: [String], context: Bool = false) -> String {
        envelope + (context ? Self.context : "") + #""e":["# + events.joined(separator: ",") + "]}"
    }

    private static func event(_ type: String, ago milliseconds: Int, _ fields: String) -> String {
        #"{"n":<event>,"t":"\#(type)","o":<ago:\#(milliseconds)>,"p":<page>,"# + fields + "}"
    }
}

/// The plain load: ten small custom events, as a shop's own `track` calls make them.
extension BeaconTexts {
    static let plain = batch(
        (0..<10).map { index in
            event("cu", ago: (10 - index) * 430, customs[index % customs.count])
        }
    )

    private static let customs = [
        #""name":"plan_viewed","props":{"plan":"<pick:solo|team|scale>","price":<int:19:499>}"#,
        #""name":"<pick:faq|tab|video>_opened","props":{"item":"i<int:100:999>","pos":<int:1:9>}"#,
        #""name":"filter_set","props":{"key":"<pick:size|colour|brand>","hits":<int:0:480>}"#,
        #""name":"image_zoomed","props":{"sku":"A-<int:10000:99999>","ms":<int:200:9000>}"#,
        #""name":"cart_changed","props":{"lines":<int:1:9>,"total":<int:10:999>.<int:10:99>}"#,
    ]
}

/// The real load: what a visit to a shop sends, batch by batch.
extension BeaconTexts {
    static let landing = batch([pageView], context: true)
    static let heartbeat = batch([summary(sections: 3, ago: 20)])
    static let looking = batch([
        click(ago: 6200), click(ago: 2100), summary(sections: 3, ago: 20),
    ])
    static let turning = batch([back, summary(sections: 2, ago: 20)])
    static let starting = batch([
        click(ago: 7400), form(phase: 1, ago: 900), summary(sections: 2, ago: 20),
    ])
    static let submitting = batch([
        click(ago: 4100), back, form(phase: 3, ago: 300), summary(sections: 3, ago: 20),
    ])

    private static let pageView = event(
        "pv",
        ago: 40,
        #""u":"https://shop.example/<pick:pricing|product/lamp|catalogue|compare|demo|about>"#
            + #"?utm_source=<pick:news|search|social>","r":"https://www.example.org/","#
            + #""ti":"<pick:Plans and prices|Desk lamp|All lamps|Compare>","nt":"n","#
            + #""h":<int:1800:6400>,"wc":<int:240:1900>"#
    )

    private static let back = event(
        "nv",
        ago: 5200,
        #""ty":"<pick:b|f|u|l>","fr":"/<pick:pricing|compare|catalogue>","dw":<int:900:42000>,"lp":0"#
    )

    private static func click(ago milliseconds: Int) -> String {
        event(
            "ck",
            ago: milliseconds,
            #""a":"<pick:start-trial|add-to-cart|see-plans|book-demo>","g":"<pick:a|button>","#
                + #""x":<int:20:1400>,"y":<int:60:990>,"hv":<int:80:2600>,"f":0"#
        )
    }

    private static func form(phase: Int, ago milliseconds: Int) -> String {
        let fields =
            #"["email",<int:300:4200>,<int:2000:9000>,<int:8:32>,<int:0:3>,0,0],"#
            + #"["name",<int:200:3000>,<int:1500:7000>,<int:5:24>,<int:0:2>,<int:0:1>,0]"#
        return event(
            "fm",
            ago: milliseconds,
            #""f":"checkout","ph":\#(phase),"ff":[\#(fields)],"cp":<int:20:100>,"#
                + #""sb":\#(phase == 3 ? 1 : 0)"#
        )
    }

    private static func summary(sections: Int, ago milliseconds: Int) -> String {
        let names = ["pricing", "testimonials", "specs", "guarantee"]
        let list = (0..<sections).map { index in
            #"[\#(index),"\#(names[index % names.count])",<int:0:1>,<int:1000:9000>,"#
                + "<int:55:100>,<int:40:320>,<int:0:1>,<int:0:1>]"
        }
        return event(
            "ps",
            ago: milliseconds,
            #""q":<part>,"vz":[<int:14000:15000>,<int:12000:14000>,<int:6000:12000>,0,0,0,0,15000],"#
                + #""sc":[<int:300:5200>,<int:300:4200>,<int:200:2400>,<int:0:900>,<int:1:6>,"#
                + #"<int:0:2>,<int:0:4>,<int:20:100>],"S":[\#(list.joined(separator: ","))],"#
                + #""rd":[<int:1200:9000>,<int:9000:24000>,<int:0:100>,<int:0:100>,<int:0:100>,"#
                + #"<int:1200:12000>],"mo":[<int:40:260>,<int:400:9000>,<int:800:7000>,"#
                + #"<int:50:98>,<int:1:5>],"ck":[<int:1:4>,<int:0:2>,<int:0:2>,0,0,0,"#
                + #"<int:300:4000>,<int:100:1600>],"ct":[[0,<int:200:2400>,<int:1:3>,<int:0:1>,"#
                + #"<int:800:9000>,0]],"pt":[<int:12000:19000>,<int:20:100>,<int:1:4>,<int:1:5>,"#
                + "<int:2000:9000>,<int:5:20>,<int:0:1>,<int:0:1>]"
        )
    }
}
