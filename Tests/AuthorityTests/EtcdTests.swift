import Authority
import Foundation
import Market
import Messaging
import Testing

@Suite(.serialized) struct EtcdTests {
  private let record = Ownership(
    machine: MachineID(.shard, 3), term: Term(7), owner: "matcher-0", inSync: ["matcher-1"])

  private func withEtcd(_ body: (EtcdStage) async throws -> Void) async throws {
    let stage = try await EtcdStage(isSecured: false)
    defer { stage.end() }
    try await body(stage)
  }

  @Test func peopleCanReadAndWriteTheRecords() async throws {
    try await withEtcd { stage in
      let authority = try stage.client()
      let key = "/novation/test/machines/shard-3"
      let byHand = #"{"term":6,"owner":"matcher-2","in_sync":[]}"#
      #expect(try stage.etcd.etcdctl(["put", key, byHand], as: nil) == 0)
      let found = try #require(try await authority.ownership(of: record.machine))
      #expect(found.term == Term(6) && found.owner == "matcher-2")
      _ = try await authority.write(record, over: found)
      _ = try await authority.grantLease(node: "matcher-0", milliseconds: 5_000)
      let text = try stage.etcd.output(["get", "--prefix", "/novation/"])
      #expect(text.contains(#"{"in_sync":["matcher-1"],"owner":"matcher-0","term":7}"#))
      #expect(text.contains("/novation/test/nodes/matcher-0"))
    }
  }

  @Test(arguments: ["", "{}", #"{"term":-1,"owner":"a","in_sync":[]}"#, #"{"term":1,"owner":"a b","in_sync":[]}"#])
  func aValueThatIsNoRecordIsRefusedWithItsKey(_ value: String) async throws {
    try await withEtcd { stage in
      let key = "/novation/test/machines/shard-3"
      #expect(try stage.etcd.etcdctl(["put", "--", key, value], as: nil) == 0)
      let authority = try stage.client()
      await #expect { try await authority.ownership(of: record.machine) } throws: { "\($0)".contains(key) }
      await #expect { try await authority.replace(record, expecting: 0) } throws: { "\($0)".contains(key) }
    }
  }

  @Test func aDeadMemberIsPassedOver() async throws {
    try await withEtcd { stage in
      var configuration = stage.configuration(port: stage.etcd.port)
      configuration.endpoints.insert("http://127.0.0.1:\(try LocalPort.free(1)[0])", at: 0)
      let authority = try EtcdAuthority(configuration)
      let written = try await authority.write(record)
      #expect(try await authority.ownership(of: record.machine) == written)
      let log = ChangeLog()
      let watch = authority.watch { log.append($0) }
      #expect(await eventually { log.contains(.owned(written)) })
      watch.cancel()
    }
  }

  @Test func aWatchOutlivesTheCompactionOfWhatItMissed() async throws {
    try await withEtcd { stage in
      let (writer, watcher) = (try stage.client(), try stage.disturbedClient())
      var current = try await writer.write(record)
      let log = ChangeLog()
      let watch = watcher.watch { log.append($0) }
      #expect(await eventually { log.contains(.owned(current)) })
      stage.disturb(.cut)
      for term in 8...12 {
        var next = current
        next.term = Term(UInt32(term))
        current = try await writer.write(next, over: current)
      }
      #expect(try stage.etcd.etcdctl(["compact", "\(current.revision)"], as: nil) == 0)
      stage.disturb(.open)
      #expect(await eventually(seconds: 15) { log.contains(.owned(current)) })
      #expect(log.records.count == 2, "only how it ended is kept: \(log.records)")
      watch.cancel()
    }
  }

  @Test func theDeathOfItsLeaderIsBridgedAndThatOfItsMajorityIsTold() async throws {
    let members = try await EtcdProcess.members(3)
    defer { for member in members { member.kill() } }
    var configuration = EtcdConfiguration(endpoints: members.map { "http://127.0.0.1:\($0.port)" }, cluster: "test")
    configuration.timeLimitMilliseconds = 10_000
    let authority = try EtcdAuthority(configuration)
    let first = try await authority.write(record)
    var lease = try await authority.grantLease(node: "matcher-0", milliseconds: 5_000)
    let log = ChangeLog()
    let watch = authority.watch { log.append($0) }
    #expect(await eventually { log.contains(.owned(first)) })
    let leader = try #require(try members.first { try $0.isLeader() })
    leader.kill()
    let next = Ownership(machine: record.machine, term: Term(8), owner: "matcher-1")
    let second = try await authority.write(next, over: first)
    lease = try await authority.renew(lease)
    #expect(lease.isValid(at: .now()))
    #expect(await eventually(seconds: 15) { log.contains(.owned(second)) })
    #expect(!log.goneNodes().contains("matcher-0"), "a lease outlives the leader that granted it")
    let other = try #require(members.first { $0 !== leader })
    other.kill()
    configuration.timeLimitMilliseconds = 2_000
    let hasty = try EtcdAuthority(configuration)
    await #expect { try await hasty.ownership(of: record.machine) } throws: { $0.isUnreachable }
    let attempt = Ownership(machine: record.machine, term: Term(9), owner: "matcher-0")
    await #expect { try await hasty.replace(attempt, expecting: second.revision) } throws: { $0.isUnreachable }
    // Two of three are back: it goes on where it was.
    try other.launch()
    #expect(await eventually(seconds: 20) { (try? await authority.ownership(of: record.machine)) != nil })
    let after = try #require(try await authority.ownership(of: record.machine))
    #expect(after == second || after.saysTheSame(as: attempt), "unreachable: done or not, nothing else")
    watch.cancel()
  }

  @Test func aWrongPasswordIsRefusedNotWaitedFor() async throws {
    let stage = try await EtcdStage(isSecured: true)
    defer { stage.end() }
    var configuration = stage.configuration(port: stage.etcd.port)
    configuration.password = "guess"
    let authority = try EtcdAuthority(configuration)
    await #expect { try await authority.ownership(of: .risk) } throws: { $0.isRefused }
    // Nor does the right one open what is not this user's.
    configuration = stage.configuration(port: stage.etcd.port)
    configuration.authorityFile = ""
    let unbelieving = try EtcdAuthority(configuration)
    await #expect { try await unbelieving.ownership(of: .risk) } throws: { $0.isUnreachable }
  }

  @Test(arguments: [
    ([], "no endpoint"), (["10.0.0.1:2379"], "must begin with http"), (["https://"], "must begin with http"),
    (["http://u:p@10.0.0.1:2379"], "no user and password"),
  ])
  func anEndpointThatIsNoneIsRefused(_ endpoints: [String], _ reason: String) {
    #expect {
      try EtcdAuthority(EtcdConfiguration(endpoints: endpoints, cluster: "test"))
    } throws: {
      "\($0)".contains(reason)
    }
  }
}
