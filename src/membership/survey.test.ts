import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Membership } from '../rpc/messages.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { pass } from '../testing/memory-cluster.ts'
import { MemoryNetwork } from '../testing/memory-network.ts'
import type { Epoch } from './epoch.ts'
import { NodeDirectory } from './node-directory.ts'
import { Survey, type SurveyOptions } from './survey.ts'

const MEMBERS = ['n1', 'n2', 'n3'].map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))

const BEFORE: Membership = {
  clusterId: 'c',
  epoch: 1,
  members: [...MEMBERS, { nodeId: 'n4', address: 'gone:1' }],
  tombstoneGraceMs: 3_600_000,
}

/** A survey of an epoch of which one member is missing. */
function aSurvey() {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  for (const { nodeId, address } of MEMBERS) network.add(address, nodeId)
  // The missing member has moved.
  network.add('elsewhere:1', 'n3')
  network.hosts.delete('n3:1')
  // It left the cluster, and was away then.
  const { store } = network.add('gone:1', 'n4')
  store.transaction(() => store.saveMembership(BEFORE))
  const directory = new NodeDirectory(network.connect)
  const seen = { isCurrent: true, observed: 0, reads: 0, told: [] as string[] }
  const unanswered = Promise.withResolvers<never>()
  const epoch = {
    membership: { ...BEFORE, epoch: 2, members: MEMBERS },
    client: {
      read: () => {
        seen.reads += 1
        return seen.reads === 2 ? unanswered.promise : Promise.resolve({ kind: 'not_applied' })
      },
    },
    nodes: MEMBERS.map((member) => ({
      ...member,
      member,
      link: { isReachable: member.nodeId !== 'n3' },
    })),
  } as unknown as Epoch
  const options = {
    hosts: ['n1:1', 'n2:1', 'elsewhere:1', 'gone:1'],
    epochs: { isCurrent: () => seen.isCurrent, follow: () => undefined },
    directory,
    farewells: {
      addresses: new Set(),
      tell: async (nodeId: string, address: string, { epoch: toldEpoch }: Membership) =>
        void seen.told.push(`${nodeId} ${address} ${toldEpoch}`),
    },
    disks: {
      observe: async () => {
        seen.observed += 1
      },
    },
    clock,
  } as unknown as SurveyOptions
  return { survey: new Survey(options), epoch, directory, clock, seen }
}

const [, , n3] = MEMBERS

test('the survey acts on what it sees: a member that has moved is found', async () => {
  const { survey, epoch, directory, clock, seen } = aSurvey()
  const tended = survey.tend(epoch)
  await pass(clock, 5)
  await tended
  assert.deepEqual([directory.addressOf(n3!), seen.observed], ['elsewhere:1', 1])
  assert.deepEqual(seen.told, ['n4 gone:1 2'], 'a node that has left, and did not know it, is told')
})

test('the survey does not act on what it saw in an epoch that has ended meanwhile', async () => {
  const { survey, epoch, directory, clock, seen } = aSurvey()
  const tended = survey.tend(epoch)
  seen.isCurrent = false
  await pass(clock, 5)
  await tended
  assert.deepEqual([directory.addressOf(n3!), seen.observed], ['n3:1', 0])
})

test('the membership is read every two seconds, and not twice at once', async () => {
  const { survey, epoch, clock, seen } = aSurvey()
  for (let passedMs = 0; passedMs < 3_000; passedMs += 250) {
    await survey.tend(epoch)
    await pass(clock, 250)
  }
  assert.equal(seen.reads, 2)
  // The second one is not answered: no other follows it.
  for (let passedMs = 0; passedMs < 10_000; passedMs += 250) {
    await survey.tend(epoch)
    survey.readMembership(epoch)
    await pass(clock, 250)
  }
  assert.equal(seen.reads, 2)
})

test('while all nodes are reached, a moved or returned node is looked for every five seconds', async () => {
  const { survey, epoch, clock, seen } = aSurvey()
  const links = epoch.nodes.map(({ link }) => link as { isReachable: boolean })
  for (const link of links) link.isReachable = true
  for (let passedMs = 0; passedMs < 11_000; passedMs += 250) {
    const tended = survey.tend(epoch)
    await pass(clock, 250)
    await tended
  }
  assert.equal(seen.observed, 3)
  links[2]!.isReachable = false
  for (let call = 0; call < 4; call += 1) {
    const tended = survey.tend(epoch)
    await pass(clock, 5)
    await tended
  }
  assert.equal(seen.observed, 7, 'each call looks for a node that is missing')
})
