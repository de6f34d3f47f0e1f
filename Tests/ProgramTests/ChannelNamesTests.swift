// Goal: live minutes know every channel that enrichment gives to page views, by its name.
// Method: both lists side by side; a stage may not import another, so each has its own.
import Bytes
import Enrichment
import Testing

@testable import Scoring

struct ChannelNamesTests {
    @Test func bothListsAreTheSame() {
        #expect(LiveChannel.count == Channel.allCases.count)
        for (index, channel) in Channel.allCases.enumerated() {
            #expect(ByteView(LiveChannel.names[index]).equals(channel.name))
            #expect(LiveChannel.index(of: ByteView(channel.name)) == index)
        }
        #expect(LiveChannel.index(of: ByteView("carrier_pigeon")) == LiveChannel.unassigned)
        #expect(ByteView(LiveChannel.names[LiveChannel.unassigned]).equals("unassigned"))
    }
}
