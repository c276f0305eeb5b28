import Authority
import Foundation
import Market
import Messaging
import Testing

/// One promise that every authority keeps; the cases use machines and nodes of their own, so that one stage serves all.
struct AuthorityCase: Sendable {
  var promise: String
  var check: @Sendable (any AuthorityStage) async throws -> Void

  static let all: [AuthorityCase] = [
    AuthorityCase(promise: "a first record is created only where there is none") { stage in
      let authority = try stage.client()
      let machine = MachineID(.shard, 1)
      #expect(try await authority.ownership(of: machine) == nil)
      let record = Ownership(machine: machine, term: Term(1), owner: "a", inSync: ["c", "b"])
      #expect(try await authority.replace(record, expecting: 7) == .refused(current: nil))
      let first = try #require(try await authority.replace(record, expecting: 0).record)
      #expect(first.saysTheSame(as: record) && first.revision > 0 && first.inSync == ["b", "c"])
      let rival = Ownership(machine: machine, term: Term(1), owner: "b")
      #expect(try await authority.replace(rival, expecting: 0) == .refused(current: first))
      #expect(try await authority.ownership(of: machine) == first)
    },
    AuthorityCase(promise: "a record is replaced only at its revision") { stage in
      let (one, two) = (try stage.client(), try stage.client())
      let machine = MachineID(.shard, 2)
      let first = try await one.write(Ownership(machine: machine, term: Term(1), owner: "a", inSync: ["b"]))
      let second = try await two.write(Ownership(machine: machine, term: Term(2), owner: "b"), over: first)
      #expect(second.revision > first.revision)
      let late = Ownership(machine: machine, term: Term(2), owner: "a")
      #expect(try await one.replace(late, expecting: first.revision) == .refused(current: second))
      #expect(try await one.ownership(of: machine) == second)
    },
    AuthorityCase(promise: "other machines do not disturb a record") { stage in
      let authority = try stage.client()
      let mine = try await authority.write(Ownership(machine: .risk, term: Term(1), owner: "a"))
      _ = try await authority.write(Ownership(machine: .settlement, term: Term(1), owner: "b"))
      _ = try await authority.write(Ownership(machine: .risk, term: Term(2), owner: "b"), over: mine)
    },
    AuthorityCase(promise: "a swap whose answer was lost is found done when it is asked again") { stage in
      let (authority, witness) = (try stage.disturbedClient(), try stage.client())
      let machine = MachineID(.shard, 3)
      let first = try await authority.write(Ownership(machine: machine, term: Term(1), owner: "a"))
      let taken = stage.lost
      stage.disturb(.losesAnswers)
      let next = Ownership(machine: machine, term: Term(2), owner: "b", inSync: ["a"])
      await #expect { try await authority.replace(next, expecting: first.revision) } throws: { $0.isUnreachable }
      #expect(stage.lost > taken, "nothing was lost")
      let seen = try #require(try await witness.ownership(of: machine))
      #expect(seen.saysTheSame(as: next), "it was done")
      stage.disturb(.open)
      #expect(try await authority.replace(next, expecting: first.revision) == .replaced(seen))
      #expect(try await authority.ownership(of: machine) == seen, "and not done twice")
    },
    AuthorityCase(promise: "a client that is cut off is told that nobody answers, and served when it is not") { stage in
      let authority = try stage.disturbedClient()
      let machine = MachineID(.shard, 4)
      let first = try await authority.write(Ownership(machine: machine, term: Term(1), owner: "a"))
      stage.disturb(.cut)
      await #expect { try await authority.ownership(of: machine) } throws: { $0.isUnreachable }
      stage.disturb(.open)
      #expect(try await authority.ownership(of: machine) == first)
    },
    AuthorityCase(promise: "a lease ends when it is not renewed, never before its holder thinks so") { stage in
      let (holder, other) = (try stage.client(), try stage.client())
      let lease = try await holder.grantLease(node: "lapser", milliseconds: stage.leaseMilliseconds)
      #expect(lease.milliseconds <= stage.leaseMilliseconds)
      while lease.isValid(at: .now()) {
        let isAlive = try await other.isAlive(node: "lapser")
        if lease.isValid(at: .now()) { #expect(isAlive) }
        try await Task.sleep(for: .milliseconds(10))
      }
      let limit = Double(stage.noticeMilliseconds) / 1_000
      #expect(try await eventually(seconds: limit) { try await !other.isAlive(node: "lapser") })
      await #expect { try await holder.renew(lease) } throws: { $0.isLapsed }
      #expect(try await !other.isAlive(node: "nobody"))
    },
    AuthorityCase(promise: "a lease that is renewed lives, counted from the asking") { stage in
      let (holder, other) = (try stage.client(), try stage.client())
      var lease = try await holder.grantLease(node: "renewer", milliseconds: stage.leaseMilliseconds)
      let first = lease
      let end = lease.validUntil.advanced(by: Int64(stage.leaseMilliseconds + stage.noticeMilliseconds) * 1_000_000)
      while MonotonicTime.now() < end {
        try await Task.sleep(for: .milliseconds(stage.leaseMilliseconds / 5))
        let before = MonotonicTime.now()
        let renewed = try await holder.renew(lease)
        #expect(renewed.identifier == first.identifier && renewed.askedAt >= before)
        #expect(renewed.askedAt <= .now() && renewed.validUntil > lease.validUntil)
        lease = renewed
        #expect(try await other.isAlive(node: "renewer"))
      }
      try await holder.release(lease)
    },
    AuthorityCase(promise: "a released lease ends at once, and may be released twice") { stage in
      let authority = try stage.client()
      let lease = try await authority.grantLease(node: "leaver", milliseconds: 5_000)
      #expect(try await authority.isAlive(node: "leaver"))
      try await authority.release(lease)
      #expect(try await !authority.isAlive(node: "leaver"))
      await #expect { try await authority.renew(lease) } throws: { $0.isLapsed }
      try await authority.release(lease)
    },
    AuthorityCase(promise: "a new lease of a node ends its earlier one") { stage in
      let (first, second) = (try stage.client(), try stage.client())
      let old = try await first.grantLease(node: "twice", milliseconds: 5_000)
      let new = try await second.grantLease(node: "twice", milliseconds: 5_000)
      await #expect { try await first.renew(old) } throws: { $0.isLapsed }
      // Whoever lost it cannot take the other's with it.
      try await first.release(old)
      #expect(try await second.isAlive(node: "twice"))
      #expect(try await second.renew(new).identifier == new.identifier)
      try await second.release(new)
    },
    AuthorityCase(promise: "of two candidates exactly one wins, a hundred times") { stage in
      let (one, two) = (try stage.client(), try stage.client())
      let machine = MachineID(.shard, 5)
      var current = try await one.write(Ownership(machine: machine, term: Term(1), owner: "a"))
      var wins = ["one": 0, "two": 0]
      for _ in 0..<100 {
        let (revision, term) = (current.revision, current.term.next)
        async let left = one.replace(
          Ownership(machine: machine, term: term, owner: "one"), expecting: revision)
        async let right = two.replace(
          Ownership(machine: machine, term: term, owner: "two"), expecting: revision)
        let outcomes = try await [left, right]
        let winners = outcomes.compactMap(\.record)
        #expect(winners.count == 1, "\(outcomes)")
        current = try #require(winners.first)
        wins[current.owner, default: 0] += 1
        #expect(outcomes.contains(.refused(current: current)), "the loser learns who won")
      }
      #expect(wins.values.reduce(0, +) == 100)
      #expect(try await one.ownership(of: machine) == current)
    },
    AuthorityCase(promise: "a watch tells what stands, then every change in order") { stage in
      let (writer, watcher) = (try stage.client(), try stage.client())
      let machine = MachineID(.shard, 6)
      var written = [try await writer.write(Ownership(machine: machine, term: Term(1), owner: "a"))]
      let standing = try await writer.grantLease(node: "standing", milliseconds: 60_000)
      let log = ChangeLog()
      let watch = watcher.watch { log.append($0) }
      #expect(await eventually { log.contains(.caughtUp) })
      let before = log.all
      #expect(before.contains(.owned(written[0])) && before.contains(.nodeUp("standing")))
      #expect(before.last == .caughtUp)
      for term in 2...150 {
        let record = Ownership(machine: machine, term: Term(UInt32(term)), owner: "a", inSync: ["n\(term)"])
        written.append(try await writer.write(record, over: written.last))
      }
      let lease = try await writer.grantLease(node: "passing", milliseconds: 60_000)
      try await writer.release(lease)
      #expect(await eventually { log.goneNodes().contains("passing") })
      #expect(log.records.filter { $0.machine == machine } == written)
      #expect(log.all.firstIndex(of: .nodeUp("passing")) != nil)
      watch.cancel()
      try await writer.release(standing)
      _ = try await writer.write(Ownership(machine: machine, term: Term(151), owner: "b"), over: written.last)
      try await Task.sleep(for: .milliseconds(100))
      #expect(log.records.last == written.last, "a cancelled watch tells nothing")
    },
    AuthorityCase(promise: "a watch tells of a lease that ran out") { stage in
      let (holder, watcher) = (try stage.client(), try stage.client())
      let log = ChangeLog()
      let watch = watcher.watch { log.append($0) }
      _ = try await holder.grantLease(node: "fading", milliseconds: stage.leaseMilliseconds)
      let limit = Double(stage.leaseMilliseconds + stage.noticeMilliseconds) / 1_000
      #expect(await eventually(seconds: limit) { log.goneNodes().contains("fading") })
      watch.cancel()
    },
    AuthorityCase(promise: "a watch that was cut off tells what it missed") { stage in
      let (writer, watcher) = (try stage.client(), try stage.disturbedClient())
      let machine = MachineID(.shard, 7)
      var current = try await writer.write(Ownership(machine: machine, term: Term(1), owner: "a"))
      let log = ChangeLog()
      let watch = watcher.watch { log.append($0) }
      #expect(await eventually { log.records.contains(current) })
      stage.disturb(.cut)
      for term in 2...20 {
        current = try await writer.write(
          Ownership(machine: machine, term: Term(UInt32(term)), owner: "b"), over: current)
      }
      try await Task.sleep(for: .milliseconds(100))
      #expect(!log.records.contains(current), "it was cut off")
      stage.disturb(.open)
      #expect(await eventually(seconds: 15) { log.records.contains(current) })
      let terms = log.records.filter { $0.machine == machine }.map(\.term)
      #expect(terms == terms.sorted() && Set(terms).count == terms.count)
      watch.cancel()
    },
    AuthorityCase(promise: "a restart of the authority keeps records and leases, and watches go on") { stage in
      let authority = try stage.client()
      let machine = MachineID(.shard, 8)
      let before = try await authority.write(Ownership(machine: machine, term: Term(1), owner: "a", inSync: ["b"]))
      let lease = try await authority.grantLease(node: "survivor", milliseconds: 60_000)
      let log = ChangeLog()
      let watch = authority.watch { log.append($0) }
      #expect(await eventually { log.records.contains(before) })
      try await stage.restart()
      var found: Ownership?
      #expect(
        await eventually(seconds: 20) {
          found = try? await authority.ownership(of: machine)
          return found != nil
        })
      #expect(found == before)
      #expect(try await authority.isAlive(node: "survivor"))
      #expect(try await authority.renew(lease).identifier == lease.identifier)
      let after = try await authority.write(Ownership(machine: machine, term: Term(2), owner: "b"), over: before)
      #expect(after.revision > before.revision)
      #expect(await eventually(seconds: 15) { log.records.contains(after) })
      #expect(!log.goneNodes().contains("survivor"))
      watch.cancel()
      try await authority.release(lease)
    },
  ]
}

extension Authority {
  /// Replaces `current` by `record`, which nobody contests.
  func write(_ record: Ownership, over current: Ownership? = nil) async throws -> Ownership {
    let replacement = try await replace(record, expecting: current?.revision ?? 0)
    return try #require(replacement.record, "\(replacement)")
  }
}

extension Replacement {
  /// What was written, if it was.
  var record: Ownership? { if case .replaced(let record) = self { record } else { nil } }
}

extension Error {
  var isUnreachable: Bool { if case .unreachable = self as? AuthorityError { true } else { false } }
  var isLapsed: Bool { if case .lapsed = self as? AuthorityError { true } else { false } }
  var isRefused: Bool { if case .refused = self as? AuthorityError { true } else { false } }
}
