/// Schemas of answers, as OpenAPI 3.1 writes them. Fields may be added to answers within v1, so objects
/// are open; what is listed as required is always there.
enum Schemas {
    /// An object that has at least these fields.
    static func open(_ required: String...) -> JSONValue {
        ["type": "object", "required": .words(required)]
    }

    /// An object with a list in one field.
    static func list(_ name: String, of item: JSONValue) -> JSONValue {
        [
            "type": "object", "required": .words([name]),
            "properties": .object([name: ["type": "array", "items": item]]),
        ]
    }

    /// A part of a list with a cursor.
    static func page(of item: JSONValue) -> JSONValue {
        [
            "type": "object", "required": ["items", "next_cursor"],
            "properties": [
                "items": ["type": "array", "items": item],
                "next_cursor": ["type": ["string", "null"]],
            ],
        ]
    }

    static let visitor: JSONValue = [
        "type": "object",
        "required": [
            "visitor", "score", "band", "profile", "confidence", "likelihood", "model", "updated",
            "seen", "as_of", "terms",
        ],
        "properties": [
            "visitor": ["type": "string"],
            "score": ["type": "number", "minimum": 0, "maximum": 100],
            "band": ["type": "string", "enum": ["cold", "warm", "hot"]],
            "confidence": ["type": "number", "minimum": 0, "maximum": 1],
            "updated": ["type": "integer", "description": "Epoch milliseconds."],
            "as_of": ["type": "integer", "description": "The moment that the score is of."],
            "links": [
                "type": "array", "items": link,
                "description": "Browsers that may be the same person's. Guesses: they join nobody.",
            ],
        ],
    ]

    static let link: JSONValue = [
        "type": "object", "required": ["visitor", "confidence", "reasons"],
        "properties": [
            "visitor": ["type": "string"],
            "confidence": ["type": "number", "minimum": 0, "maximum": 1],
            "reasons": ["type": "array", "items": open("reason", "adds", "detail")],
        ],
    ]

    static let problem: JSONValue = [
        "type": "object", "required": ["type", "title", "status", "detail", "code"],
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"],
            "status": ["type": "integer"], "detail": ["type": "string"],
            "code": ["type": "string"],
            "errors": [
                "type": "array",
                "items": [
                    "type": "object", "required": ["pointer", "code", "detail"],
                    "properties": [
                        "allowed": ["type": "array", "items": ["type": "string"]]
                    ],
                ],
            ],
        ],
    ]
}
