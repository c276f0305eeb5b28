import Bytes
import Machine
import Market
import Testing

@testable import Matching

@Suite struct NonceTests {
  @Test func theSameActionGetsItsFirstAnswerAgain() {
    let venue = Venue()
    venue.sell(2, 1, at: "1000")
    let action = venue.action(1, [venue.order(.buy, 1, "1000"), venue.order(.buy, 2, "990")], nonce: 77)
    let first = venue.apply(.action, action.encoded)
    venue.now = venue.now + .milliseconds(100)
    let again = venue.apply(.action, action.encoded)
    #expect(again.fills.isEmpty && again.deltas.isEmpty)
    var expected = first.replies[0]
    expected.isRepeated = true
    #expect(again.replies == [expected])
    #expect(first.results.map(\.outcome) == [.filled, .resting])
  }

  @Test func signatureAndSessionAreNotPartOfWhatWasSigned() {
    let venue = Venue()
    var action = venue.action(1, [venue.order(.buy, 1, "990")], nonce: 77)
    venue.apply(.action, action.encoded)
    action.header.session = 9
    action.header.signature.recoveryID = 1
    action.header.signature.r = Digest([UInt8](repeating: 7, count: 32))
    #expect(venue.apply(.action, action.encoded).replies[0].isRepeated)
  }

  @Test func anotherActionUnderTheSameNonceIsRefused() {
    let venue = Venue()
    let original = venue.action(1, [venue.order(.buy, 1, "990")], nonce: 77)
    venue.apply(.action, original.encoded)
    var other = original
    other.operations[0].price = Price(whole: 991)
    #expect(venue.apply(.action, other.encoded).outcome == .nonceReused)
    other = original
    other.header.expiry += 1
    #expect(venue.apply(.action, other.encoded).outcome == .nonceReused)
    #expect(venue.apply(.action, original.encoded).outcome == .resting)
    #expect(venue.machine.orderCount == 1)
  }

  @Test func noncesComeInAnyOrderAndPerAccount() {
    let venue = Venue()
    for nonce in [9, 3, .max, 0, 5] as [UInt64] {
      #expect(venue.act(1, venue.order(.buy, 1, "990"), nonce: nonce).outcome == .resting)
      #expect(venue.act(2, venue.order(.buy, 1, "990"), nonce: nonce).outcome == .resting)
    }
  }

  @Test func aJournalledRefusalConsumesTheNonce() {
    let venue = Venue()
    venue.act(1, venue.order(.buy, 1, "1600"), nonce: 5)
    #expect(venue.act(1, venue.order(.buy, 1, "990"), nonce: 5).outcome == .nonceReused)
  }

  /// Differences of one part must not make up for those of another.
  @Test func noByteOfSignerOrOwnerMayDiffer() {
    let venue = Venue()
    let right = venue.action(1, [venue.order(.buy, 1, "990")], nonce: 5).encoded
    for first in 32..<72 {
      for second in 32..<72 {
        for bit in 0..<8 {
          var forged = right
          forged[first] ^= 1 << UInt8(bit)
          if second != first { forged[second] ^= 1 << UInt8(bit) }
          #expect(venue.apply(.action, forged).outcome == .wrongSigner, "bytes \(first) and \(second), bit \(bit)")
        }
      }
    }
    #expect(venue.apply(.action, right).outcome == .resting)
  }

  @Test func whatIsRefusedBeforeTheNonceLeavesItFree() {
    let venue = Venue()
    let second = UInt64(venue.now.seconds)
    let order = venue.order(.buy, 1, "990")
    #expect(venue.act(99, [order], nonce: 5).outcome == .unknownAccount)
    var forged = venue.action(1, [order], nonce: 5)
    forged.header.signer = Venue.owner(2)
    #expect(venue.apply(.action, forged.encoded).outcome == .wrongSigner)
    forged = venue.action(1, [order], nonce: 5)
    forged.header.owner = Venue.owner(2)
    #expect(venue.apply(.action, forged.encoded).outcome == .wrongSigner)
    forged = venue.action(1, [order], nonce: 5)
    forged.header.key = KeyID(1)
    #expect(venue.apply(.action, forged.encoded).outcome == .wrongSigner)
    #expect(venue.act(1, [order], nonce: 5, expiry: second - 1).outcome == .expired)
    #expect(venue.act(1, [order], nonce: 5, expiry: second + 86_400 * 30 + 1).outcome == .expiryTooFar)
    #expect(venue.act(1, [order], nonce: 5, expiry: .max).outcome == .expiryTooFar)
    var elsewhere = venue.action(1, [order], nonce: 5)
    elsewhere.header.underlying = UnderlyingID(3)
    #expect(venue.apply(.action, elsewhere.encoded).outcome == .malformed)
    #expect(venue.machine.liveNonceCount == 0)
    #expect(venue.act(1, [order], nonce: 5, expiry: second).outcome == .resting)
  }

  @Test func aNonceIsForgottenOnlyWhenAResendIsExpired() {
    let venue = Venue()
    let action = venue.action(1, [venue.order(.buy, 1, "990")], nonce: 5)
    venue.apply(.action, action.encoded)
    venue.now = Timestamp(seconds: Int64(action.header.expiry))
    #expect(venue.apply(.action, action.encoded).replies[0].isRepeated)
    venue.now = venue.now + .seconds(1)
    #expect(venue.apply(.action, action.encoded).outcome == .expired)
    #expect(venue.machine.liveNonceCount == 0)
    #expect(venue.machine.standing(AccountID(1))!.liveNonces == 0)
  }

  @Test func forgettingIsBoundedAStepAndWantsATick() {
    let venue = Venue { $0.stepBound = 10 }
    for _ in 0..<25 { venue.buy(1, 1, at: "1600") }
    venue.now = venue.now + .seconds(61)
    venue.apply(.tick, [])
    #expect(venue.machine.liveNonceCount == 15)
    #expect(venue.machine.nextDeadline == venue.now)
    venue.apply(.tick, [])
    venue.apply(.tick, [])
    #expect(venue.machine.liveNonceCount == 0)
    #expect(venue.machine.nextDeadline > venue.now)
  }

  /// Whichever way it goes: straight, or from there back to the general one.
  @Test func everyActionForgetsOneShareInPassing() {
    let venue = Venue()
    let expiry = venue.now.seconds + 60
    for _ in 0..<40 { venue.buy(1, 1, at: "990") }
    // The heartbeat that is due by then comes first.
    venue.now = Timestamp(nanoseconds: (expiry + 1) * 1_000_000_000 - 1)
    venue.marks()
    #expect(venue.machine.liveNonceCount == 40)
    venue.now = Timestamp(seconds: expiry + 1)
    let changes: [(inout Market.Operation) -> Void] = [
      { _ in }, { $0.label = 7 }, { $0.quantity = Quantity(units: 1) }, { $0.price = .zero }, { _ in },
    ]
    for (place, change) in changes.enumerated() {
      var order = venue.order(.buy, 1, "990")
      change(&order)
      venue.act(1, order)
      #expect(venue.machine.liveNonceCount == 40 - 3 * (place + 1))
    }
  }

  @Test func theLastSixteenthOfTheNoncesIsForCancels() {
    let venue = Venue { $0.liveNonces = 32 }
    for _ in 0..<30 { #expect(venue.buy(1, 1, at: "990").outcome == .resting) }
    #expect(venue.buy(1, 1, at: "990").outcome == .tooManyLiveNonces)
    #expect(venue.cancel(1, 1).outcome == .cancelled)
    #expect(venue.cancel(1, 2).outcome == .cancelled)
    let refused = venue.cancel(1, 3, index: 0)
    #expect(refused.outcome == .tooManyLiveNonces)
    #expect(venue.buy(2, 1, at: "990").outcome == .resting)
    venue.now = venue.now + .seconds(61)
    venue.marks()
    #expect(venue.cancel(1, 3).outcome == .cancelled)
  }

  @Test func malformedActionsAreAnsweredAndLeaveNothing() {
    let venue = Venue()
    let good = venue.action(1, [venue.order(.buy, 1, "990")], nonce: 5).encoded
    for length in [0, 10, 159, 160, 223] {
      #expect(venue.apply(.action, [UInt8](good.prefix(length))).outcome == .malformed)
    }
    #expect(venue.apply(.action, good + [0]).outcome == .malformed)
    var withdrawal = good
    withdrawal[0] = 2
    let said = venue.apply(.action, withdrawal)
    #expect(said.outcome == .malformed && said.replies[0].nonce == 5)
    #expect(venue.machine.liveNonceCount == 0)
  }
}
