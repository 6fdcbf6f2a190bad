import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterSnapshot, MemberSnapshot } from '../../../membership/cluster-snapshot.ts'
import { RoundTripTimes } from '../../../replication/links/round-trip-times.ts'
import type { Description } from '../../../rpc/messages.ts'
import { describeCluster, type Knowledge } from './describe-cluster.ts'

function aMember(name: string, overrides: Partial<MemberSnapshot> = {}, isReachable = true): MemberSnapshot {
  const roundTrips = new RoundTripTimes()
  roundTrips.observe(1.234)
  return {
    nodeId: name,
    address: `${name}:8001`,
    role: 'voting',
    progress: undefined,
    link: { isReachable, isSuspect: !isReachable, roundTrips, send: () => false },
    ...overrides,
  }
}

function aSnapshot(
  members: readonly MemberSnapshot[],
  change?: string,
): Extract<ClusterSnapshot, { kind: 'found' }> {
  return {
    kind: 'found',
    clusterId: 'c',
    epoch: 3,
    quorum: 2,
    isQuorumReachable: true,
    members,
    change,
    loss: undefined,
    replacement: undefined,
  }
}

function aDescription(nodeId: string): Description {
  return {
    nodeId,
    membership: { clusterId: 'c', epoch: 3, members: [], tombstoneGraceMs: 3_600_000 },
    version: '1.2.3',
    recordCount: 5,
    tombstoneCount: 2,
    stubCount: 1,
    damagedCount: 0,
    healedCount: 0,
  }
}

function knowing(overrides: Partial<Knowledge> = {}): Knowledge {
  return {
    latest: () => undefined,
    problem: () => undefined,
    lag: { lagOf: () => undefined },
    divergences: [],
    notices: () => [],
    ...overrides,
  }
}

const THREE = [aMember('n1'), aMember('n2'), aMember('n3')]

test('a member is shown with its own report and with what this connector measures', () => {
  const { verdict, epoch, members } = describeCluster(
    aSnapshot(THREE),
    knowing({ latest: (address) => aDescription(address.slice(0, 2)), lag: { lagOf: () => 0 } }),
  )
  assert.deepEqual([verdict, epoch], ['healthy', 3])
  assert.partialDeepStrictEqual(members[1], {
    nodeId: 'n2',
    address: 'n2:8001',
    reachable: true,
    latencyMs: { p50: 1.23, p99: 1.23 },
    lag: 0,
    records: 5,
    tombstones: 2,
    stubs: 1,
    version: '1.2.3',
    epoch: 3,
    problem: null,
  })
})

test('before the cluster is found: unavailable, the reason, and which of the hosts answer', () => {
  const snapshot: ClusterSnapshot = { kind: 'searching', hosts: ['n1:8001', 'n2:8001'], reason: 'no answer' }
  const latest = (address: string) => (address === 'n1:8001' ? aDescription('n1') : undefined)
  const status = describeCluster(snapshot, knowing({ latest }))
  assert.equal(status.verdict, 'unavailable')
  assert.equal(status.reason, 'The cluster is not found yet: no answer.')
  assert.deepEqual([status.clusterId, status.epoch, status.quorum], [null, null, null])
  assert.deepEqual(
    status.members.map(({ nodeId, address, problem }) => [nodeId, address, problem]),
    [
      ['n1', 'n1:8001', null],
      [null, 'n2:8001', 'It does not answer.'],
    ],
  )
})

test('another node at the address of a member is not the same as no answer, and its figures are not shown for the member', () => {
  const members = [...THREE.slice(0, 2), aMember('n3', {}, false)]
  const status = describeCluster(aSnapshot(members), knowing({ latest: () => aDescription('other') }))
  assert.equal(status.verdict, 'degraded')
  assert.equal(status.members[2]?.records, null)
  assert.match(status.members[2]?.problem ?? '', /^Another node answers at this address \(other\)/)
  const silent = describeCluster(aSnapshot(members), knowing())
  assert.equal(silent.members[2]?.problem, 'It does not answer.')
})

test('a node that this connector does not understand is told from silence', () => {
  const members = [...THREE.slice(0, 2), aMember('n3', {}, false)]
  const problem = (address: string) => (address.startsWith('n3') ? 'the node speaks version 9' : undefined)
  const status = describeCluster(aSnapshot(members), knowing({ problem }))
  assert.equal(status.members[2]?.problem, 'The node speaks version 9.')
})

test('the time until a replacement is shown in whole seconds, and as null if there is none', () => {
  const replacement = { nodeId: 'n3', newNodeId: 'new', address: 'n3:8001', inMs: 41_001 }
  const status = describeCluster({ ...aSnapshot(THREE), replacement }, knowing())
  assert.deepEqual(status.replacement, {
    nodeId: 'n3',
    newNodeId: 'new',
    address: 'n3:8001',
    seconds: 42,
  })
  assert.equal(describeCluster(aSnapshot(THREE), knowing()).replacement, null)
})

test('a change of the membership is shown with the role and the progress of its node', () => {
  const members = [...THREE, aMember('n4', { role: 'joining', progress: 0.25 })]
  const status = describeCluster(aSnapshot(members, 'n4 is joining'), knowing())
  assert.deepEqual(
    [status.verdict, status.reason, status.change],
    ['degraded', 'N4 is joining.', 'n4 is joining'],
  )
  assert.partialDeepStrictEqual(status.members[3], { role: 'joining', progress: 0.25 })
})

test('a notice is shown as a sentence, and changes no verdict', () => {
  const asked: (readonly string[])[] = []
  const notices = (addresses: readonly string[]) => {
    asked.push(addresses)
    return ['the certificate of the API expires in 3 days']
  }
  const members = ['a', 'b', 'c'].map((name) => aMember(name))
  const status = describeCluster(aSnapshot(members), knowing({ notices }))
  assert.deepEqual(status.notices, ['The certificate of the API expires in 3 days.'])
  assert.equal(status.verdict, 'healthy')
  const searching = describeCluster({ kind: 'searching', hosts: ['h:1'], reason: 'x' }, knowing({ notices }))
  assert.equal(searching.notices.length, 1)
  assert.deepEqual(asked, [['a:8001', 'b:8001', 'c:8001'], ['h:1']])
})
