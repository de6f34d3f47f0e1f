/// Several doubly linked lists over the same small indices, of which each is in one list or none.
///
/// Every operation takes constant time and none allocates once the links exist. The links lie apart
/// from what they order, packed, so that moving an index touches no connection but its own.
struct IndexLists {
    private struct Link {
        var previous = IndexLists.nobody
        var next = IndexLists.nobody
        var list = IndexLists.noList
    }

    private static let nobody = UInt32.max
    private static let noList = UInt8.max

    private var links: [Link] = []
    private var firsts: [UInt32]
    private var lasts: [UInt32]

    /// As many empty lists.
    init(count: Int) {
        firsts = Array(repeating: Self.nobody, count: count)
        lasts = firsts
    }

    /// Makes room for the indices below `count`.
    mutating func reserve(_ count: Int) {
        while links.count < count { links.append(Link()) }
    }

    /// The index that has been in `list` for longest.
    func first(of list: Int) -> UInt32? {
        let first = firsts[list]
        return first == Self.nobody ? nil : first
    }

    /// The list that holds `index`.
    func list(of index: UInt32) -> Int? {
        let list = links[Int(index)].list
        return list == Self.noList ? nil : Int(list)
    }

    /// Puts `index` at the end of `list`, out of wherever it was.
    mutating func append(_ index: UInt32, to list: Int) {
        remove(index)
        let last = lasts[list]
        links[Int(index)] = Link(previous: last, next: Self.nobody, list: UInt8(list))
        if last == Self.nobody {
            firsts[list] = index
        } else {
            links[Int(last)].next = index
        }
        lasts[list] = index
    }

    /// Takes `index` out of its list, if it is in one.
    mutating func remove(_ index: UInt32) {
        let link = links[Int(index)]
        guard link.list != Self.noList else { return }
        if link.previous == Self.nobody {
            firsts[Int(link.list)] = link.next
        } else {
            links[Int(link.previous)].next = link.next
        }
        if link.next == Self.nobody {
            lasts[Int(link.list)] = link.previous
        } else {
            links[Int(link.next)].previous = link.previous
        }
        links[Int(index)] = Link()
    }
}
