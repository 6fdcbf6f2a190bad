import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Membership } from '../rpc/messages.ts'
import { discover, furtherAddresses } from './discovery.ts'
import type { Sighting } from './sighting.ts'

const HOSTS = ['h:1', 'h:2', 'h:3']

function aMembership(clusterId: string, epoch = 1): Membership {
  return {
    clusterId,
    epoch,
    members: [1, 2, 3].map((i) => ({ nodeId: `${clusterId}${i}`, address: `h:${i}` })),
    tombstoneGraceMs: 3_600_000,
  }
}

function aSighting(address: string, nodeId: string, membership?: Membership): Sighting {
  return {
    address,
    description: {
      nodeId,
      membership,
      version: '1',
      recordCount: 0,
      tombstoneCount: 0,
      stubCount: 0,
      damagedCount: 0,
      healedCount: 0,
    },
  }
}

test('new nodes become a cluster only when all hosts answer', () => {
  const seen = HOSTS.map((address, index) => aSighting(address, `a${index + 1}`))
  assert.deepEqual(discover(HOSTS, seen), {
    kind: 'birth',
    members: [
      { nodeId: 'a1', address: 'h:1' },
      { nodeId: 'a2', address: 'h:2' },
      { nodeId: 'a3', address: 'h:3' },
    ],
  })
  const finding = discover(HOSTS, seen.slice(0, 2))
  assert.equal(finding.kind, 'wait')
  assert.match(finding.kind === 'wait' ? finding.reason : '', /no answer from h:3/)
})

test('no cluster is formed if one node has two names', () => {
  const seen = HOSTS.map((address, index) => aSighting(address, index === 0 ? 'a1' : 'a2'))
  assert.equal(discover(HOSTS, seen).kind, 'wait')
})

test('a cluster is followed when a classic quorum of its nodes is seen, new nodes or none beside it', () => {
  const membership = aMembership('a')
  const quorum = [aSighting('h:1', 'a1', membership), aSighting('h:2', 'a2')]
  const finding = discover(HOSTS, [...quorum, aSighting('h:3', 'x')])
  assert.equal(finding.kind, 'found')
  assert.deepEqual(finding.kind === 'found' && finding.membership, membership)
  assert.equal(discover(HOSTS, quorum).kind, 'found')
})

test('one node with the data of another cluster misleads no connector', () => {
  const [ours, foreign] = [aMembership('a'), aMembership('b')]
  const lone = [aSighting('h:3', 'b3', foreign)]
  assert.equal(discover(HOSTS, lone).kind, 'wait', 'its own cluster has no quorum here')
  const finding = discover(HOSTS, [...lone, aSighting('h:1', 'a1', ours), aSighting('h:2', 'a2', ours)])
  assert.deepEqual(finding.kind === 'found' && finding.membership, ours)
})

test('the cluster that most hosts belong to is chosen, in whatever order they are named, even if the other cluster is complete', () => {
  const [ours, foreign] = [aMembership('a'), aMembership('b')]
  const seen = [
    aSighting('h:1', 'b1', foreign),
    aSighting('h:2', 'a2', ours),
    aSighting('h:3', 'a3', ours),
    // Learned from the first.
    aSighting('g:2', 'b2', foreign),
    aSighting('g:3', 'b3', foreign),
  ]
  for (const sightings of [seen, seen.toReversed()]) {
    const finding = discover(HOSTS, sightings)
    assert.ok(finding.kind === 'found')
    assert.equal(finding.membership, ours)
    assert.deepEqual(finding.strays, ['h:1'])
  }
  const away = discover(
    HOSTS,
    seen.filter(({ address }) => address !== 'h:3'),
  )
  assert.equal(away.kind, 'wait')
  assert.match(
    away.kind === 'wait' ? away.reason : '',
    /h:1 of b, h:2 of a; name only the nodes of one cluster/,
  )
})

test('CLUSTER_ID: that cluster is followed, however many hosts hold the data of another one', () => {
  const [ours, foreign] = [aMembership('a'), aMembership('b')]
  const quorum = [aSighting('h:1', 'a1', ours), aSighting('h:2', 'a2', ours)]
  const more = ['h:4', 'h:5', 'h:6'].map((address, index) => aSighting(address, `b${index}`, foreign))
  const hosts = [...HOSTS, 'h:4', 'h:5', 'h:6']
  const finding = discover(hosts, [...quorum, ...more], 'a')
  assert.deepEqual(finding.kind === 'found' && finding.membership, ours)
  assert.deepEqual(finding.kind === 'found' && finding.strays, ['h:4', 'h:5', 'h:6'])
  assert.equal(discover(HOSTS, quorum.slice(0, 1), 'a').kind, 'wait', 'its nodes are awaited as ever')
})

test('CLUSTER_ID: the data of another cluster are named and not used, and no cluster is formed of empty nodes', () => {
  const foreign = HOSTS.map((address, index) => aSighting(address, `b${index + 1}`, aMembership('b')))
  const wrong = discover(HOSTS, foreign, 'a')
  assert.equal(wrong.kind, 'another cluster')
  assert.match(
    wrong.kind === 'another cluster' ? wrong.reason : '',
    /^CLUSTER_ID is a, but the hosts hold the data of another cluster, .*: h:1 and h:2 and h:3 of b$/,
  )
  const empty = HOSTS.map((address, index) => aSighting(address, `x${index}`))
  for (const seen of [empty, empty.slice(0, 2)]) {
    const finding = discover(HOSTS, seen, 'a')
    assert.equal(finding.kind, 'another cluster')
    assert.match(
      finding.kind === 'another cluster' ? finding.reason : '',
      /^CLUSTER_ID is a, but the nodes at h:1, h:2.* are empty, .*mount their data directories/,
    )
  }
  assert.match(JSON.stringify(discover(HOSTS, [], 'a')), /"wait".*no node answers at h:1, h:2, h:3: start/)
})

test('if no host answers, the message does not mention a new cluster', () => {
  const finding = discover(HOSTS, [])
  assert.match(finding.kind === 'wait' ? finding.reason : '', /no node answers at h:1, h:2, h:3/)
})

test('a member is used at the address where it was seen, whatever the membership says', () => {
  const membership = aMembership('a')
  const seen = [aSighting('moved:1', 'a1', membership), aSighting('moved:2', 'a2', membership)]
  const finding = discover(['moved:1', 'moved:2', 'moved:3'], seen)
  assert.equal(finding.kind === 'found' && finding.addresses.get('a1'), 'moved:1')
})

test('the newest epoch counts, when enough nodes confirm it', () => {
  const [old, current] = [aMembership('a', 1), aMembership('a', 2)]
  const seen = [
    aSighting('h:1', 'a1', old),
    aSighting('h:2', 'a2', current),
    aSighting('h:3', 'a3', aMembership('a', 2)),
  ]
  for (const sightings of [seen, seen.toReversed()]) {
    const finding = discover(HOSTS, sightings)
    assert.equal(finding.kind === 'found' && finding.membership.epoch, 2)
  }
})

test('a member that missed a change helps to find the cluster, although another one has lost its disk', () => {
  const before = aMembership('a')
  const newcomer = { nodeId: 'a4', address: 'h:4' }
  const [first, second, away] = before.members
  const joint = { ...before, epoch: 2, members: [first!, second!, newcomer], outgoing: before.members }
  const left = [aSighting('h:1', 'a1', joint), aSighting('h:2', 'x'), aSighting('h:4', 'a4', joint)]
  assert.equal(discover(HOSTS, left).kind, 'wait', 'the old members are no quorum')
  const finding = discover(HOSTS, [...left, aSighting(away!.address, away!.nodeId, before)])
  assert.deepEqual(finding.kind === 'found' && finding.membership, joint)
})

test('a newer epoch that only one node reports is not believed', () => {
  const ours = aMembership('a')
  for (const members of [['a1'], ['a1', 'a2', 'x'], ['a1', 'a2', 'a3'], ['a1', 'x', 'y']]) {
    const madeUp = {
      ...ours,
      epoch: 99,
      members: members.map((nodeId) => ({ nodeId, address: `${nodeId}:1` })),
    }
    const liar = aSighting('h:1', 'a1', madeUp)
    const seen = [liar, aSighting('h:2', 'a2', ours), aSighting('h:3', 'a3', ours)]
    for (const sightings of [seen, seen.toReversed()]) {
      const finding = discover(HOSTS, sightings)
      assert.equal(finding.kind === 'found' && finding.membership.epoch, 1, members.join())
    }
    assert.equal(discover(HOSTS, [liar]).kind, 'wait', `${members.join()}, alone`)
    const two = discover(HOSTS, seen.slice(0, 2))
    assert.equal(two.kind, 'wait', `${members.join()}, against one`)
    assert.match(
      two.kind === 'wait' ? two.reason : '',
      /h:1 is in epoch 99, h:2 is in epoch 1.*start the nodes at h:3/,
    )
  }
})

test('two memberships of one epoch that differ: neither is believed for having been seen first', () => {
  const [one, other] = ['x', 'y'].map((last) => ({
    ...aMembership('a', 2),
    members: ['a1', 'a2', last].map((nodeId) => ({ nodeId, address: `${nodeId}:1` })),
  }))
  const seen = [aSighting('h:1', 'a1', one), aSighting('h:2', 'a2', other)]
  for (const sightings of [seen, seen.toReversed()]) assert.equal(discover(HOSTS, sightings).kind, 'wait')
})

test('one host is enough to learn the addresses of the others', () => {
  assert.deepEqual(furtherAddresses(['h:2'], [aSighting('h:2', 'a2', aMembership('a'))]), ['h:1', 'h:3'])
})
