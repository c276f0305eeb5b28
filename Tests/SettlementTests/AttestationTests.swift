import Bytes
import Cryptography
import Machine
import Market
import Settlement
import Testing

@Suite struct AttestationTests {
  /// One epoch applied, with two of three verifiers needed, and what the verifiers are asked.
  private func world() -> (World, AttestationRequest) {
    let world = World(Fixture.market(quorum: 2, verifiers: 3))
    world.sealEpoch()
    world.commitAll(1)
    world.owed = []
    return (world, world.effects(.attest, as: AttestationRequest.self)[0])
  }

  @Test(arguments: [[UInt16(0), 1], [2, 0], [1, 2]]) func anyTwoOfThreeVerifiersAreAQuorum(verifiers: [UInt16]) {
    let (world, request) = world()
    world.input(.attestation, world.attestation(verifiers[0], request).encoded)
    #expect(world.posts.isEmpty)
    world.input(.attestation, world.attestation(verifiers[1], request).encoded)
    #expect(world.posts.count == 1)
    #expect(world.posts[0].attestations.map(\.verifier) == verifiers.sorted())
    world.settle()
    #expect(world.machine.lastFinalEpoch == Epoch(1))
  }

  @Test func oneVerifierIsNoQuorumHoweverOftenItSpeaks() {
    let (world, request) = world()
    for _ in 0..<5 { world.input(.attestation, world.attestation(1, request).encoded) }
    #expect(world.posts.isEmpty)
    #expect(world.machine.stopReason == nil)
  }

  @Test func moreWordsThanAQuorumPostOnce() {
    let (world, request) = world()
    for verifier: UInt16 in [0, 1, 2, 2, 1, 0] {
      world.input(.attestation, world.attestation(verifier, request).encoded)
    }
    #expect(world.posts.count == 1)
    world.settle()
    for verifier: UInt16 in [0, 1, 2] { world.input(.attestation, world.attestation(verifier, request).encoded) }
    #expect(world.posts.count == 1)
  }

  @Test func aWordThatItsVerifierDidNotSignCountsForNothing() {
    let (world, request) = world()
    let genuine = world.attestation(0, request)
    var forged = [genuine, genuine, genuine, genuine]
    forged[0].verifier = 1
    forged[1].agrees = false
    forged[2].headerHash = .zero
    forged[3].verifier = 7
    for attestation in forged { world.input(.attestation, attestation.encoded) }
    let otherMarket = AttestationDigest(chainID: 1, verifyingContract: world.market.parameters.verifyingContract)
    let elsewhere = otherMarket.attestation(
      by: 2, key: Fixture.verifierKeys[2], epoch: Epoch(1), headerHash: request.headerHash, agrees: true)
    world.input(.attestation, elsewhere.encoded)
    world.input(.attestation, world.attestation(1, request).encoded)
    #expect(world.posts.isEmpty)
    #expect(world.machine.stopReason == nil)
  }

  @Test func aSignedWordAgainstTheEpochStopsPosting() {
    let (world, request) = world()
    world.input(.attestation, world.attestation(2, request, agrees: false).encoded)
    for verifier: UInt16 in [0, 1] { world.input(.attestation, world.attestation(verifier, request).encoded) }
    #expect(world.posts.isEmpty)
    #expect(world.machine.stopReason == StopReason(.disputed, epoch: Epoch(1), detail: 2))
  }

  @Test func aVerifierThatCameToAnotherHeaderStopsPosting() {
    let (world, request) = world()
    let other = AttestationRequest(epoch: request.epoch, headerHash: .zero)
    world.input(.attestation, world.attestation(0, request).encoded)
    world.input(.attestation, world.attestation(0, other).encoded)
    #expect(world.machine.stopReason?.rule == .disputed)
    let (second, asked) = self.world()
    second.input(
      .attestation, second.attestation(1, AttestationRequest(epoch: asked.epoch, headerHash: .zero)).encoded)
    #expect(second.machine.stopReason?.rule == .disputed)
  }

  @Test func aDisputeOfAFinalEpochStopsPostingToo() {
    let world = World()
    for _ in 0..<3 { world.epoch() }
    let first = AttestationRequest(epoch: Epoch(1), headerHash: world.posts[0].header.headerHash)
    world.input(.attestation, world.attestation(0, first, agrees: false).encoded)
    #expect(world.machine.stopReason?.rule == .disputed)
    world.epoch()
    #expect(world.posts.count == 3)
  }

  @Test func aVerifierMaySpeakBeforeTheCoordinatorHasTheCommitments() {
    let reference = World()
    reference.epoch()
    let request = AttestationRequest(epoch: Epoch(1), headerHash: reference.posts[0].header.headerHash)
    let world = World()
    world.sealEpoch()
    world.input(.attestation, world.attestation(0, request).encoded)
    world.commitAll(1)
    #expect(world.posts.count == 1)
    let wrong = World()
    wrong.sealEpoch()
    wrong.input(
      .attestation, wrong.attestation(0, AttestationRequest(epoch: Epoch(1), headerHash: .zero)).encoded)
    wrong.commitAll(1)
    #expect(wrong.posts.isEmpty)
    #expect(wrong.machine.stopReason?.rule == .disputed)
  }

  @Test func theDigestIsTheEIP712OneOfItsDocumentation() {
    let contract = Fixture.owner(200)
    func word(_ value: UInt8) -> [UInt8] { Array(repeating: 0, count: 31) + [value] }
    func hash(_ text: String) -> [UInt8] { Keccak256.hash(Array(text.utf8)).array }
    let domain = Keccak256.hash(
      hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)") + hash("Novation")
        + hash("1") + word(5) + Array(repeating: 0, count: 12) + contract.array)
    let headerHash = Keccak256.hash([9])
    let message = Keccak256.hash(
      hash("Attestation(uint32 epoch,bytes32 headerHash,bool agrees)") + word(7) + headerHash.array + word(1))
    let signing = AttestationDigest(chainID: 5, verifyingContract: contract)
    #expect(signing.domainSeparator == domain)
    #expect(
      signing.digest(epoch: Epoch(7), headerHash: headerHash, agrees: true)
        == Keccak256.hash([0x19, 0x01] + domain.array + message.array))
  }
}
