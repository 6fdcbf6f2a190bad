/** Members are added, removed and replaced in real clusters under load, while processes end in the middle. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { clusterStatus, nodeIdAt, untilEpoch, untilStatus, untilVerdict } from './cluster-status.ts'
import { cohortHere } from './command.ts'
import { foreignNode } from './foreign-node.ts'
import { CreateLoad, call, changeAll, create, missingOf } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { contentsOf, untilEqual } from './node-contents.ts'
import type { Service } from './service.ts'
import { sharedCluster } from './shared-cluster.ts'
import { until } from './waiting.ts'

/**
 * The time that a change may take with some thousand groups on a busy machine: two epochs and the copy.
 */
const CHANGED_MS = 30_000
/** A removed node is told so by the next connector that looks. */
const TOLD_MS = 30_000
/** A connector reads the membership every two seconds. */
const HEARD_MS = 30_000

/** A connector that has lost a node waits at most this long before it connects again. */
const REACHED_MS = 2_000

/**
 * The cluster of all changes but the last one. Each test goes on with the members that the test before it has
 * left.
 */
const aCluster = sharedCluster({ spares: 2, connectors: 2, replaceAfterSeconds: 0.5, processes: ['node4'] })

/** Asks for a node at `spare` as a further member. */
async function add(url: string, spare: Service): Promise<void> {
  await until('the node is reached', REACHED_MS, async () => {
    const { status, body } = await call('POST', `${url}/v1/cluster/members`, { address: spare.address })
    if (body.code === 'node_unreachable') return false
    assert.equal(status, 202, JSON.stringify(body))
    return true
  })
}

/** Asserts that a node holds every one of these groups. */
async function assertHolds(node: Service, groupIds: readonly string[]): Promise<void> {
  const contents = await contentsOf(node)
  assert.deepEqual(
    groupIds.filter((groupId) => !contents.has(`group/${groupId}`)),
    [],
  )
}

test('an impossible change is refused with the reason, and nothing is begun', async () => {
  const cluster = await aCluster()
  await using foreign = await foreignNode('theirs')
  const { url } = cluster.connectors[0]!
  const { epoch } = await clusterStatus(url)
  const change = (method: 'POST' | 'PUT' | 'DELETE', path: string, address?: string) =>
    call(method, `${url}/v1/cluster/members${path}`, address === undefined ? undefined : { address })
  const member = await nodeIdAt(url, cluster.nodes[0]!)
  const spare = cluster.nodes[3]!
  for (const [reply, code] of [
    [await change('POST', '', '127.0.0.1:1'), 'node_unreachable'],
    [await change('POST', '', foreign.nodes[0]!.address), 'node_not_empty'],
    [await change('PUT', `/${member}`, cluster.nodes[1]!.address), 'already_a_member'],
    [await change('PUT', '/nobody', spare.address), 'member_not_found'],
    [await change('DELETE', `/${member}`), 'too_few_members'],
  ] as const) {
    assert.equal(reply.body.code, code, JSON.stringify(reply.body))
  }
  assert.equal((await clusterStatus(url)).epoch, epoch)
})

test('a change whose new node is gone for good is undone by removing that node', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  const spare = cluster.nodes[3]!
  const before = await clusterStatus(url)
  await using load = new CreateLoad(url, 'back', 4)
  await load.untilMore(60)
  await add(url, spare)
  spare.signal('SIGSTOP')
  const joining = await nodeIdAt(url, spare)
  await spare.end('SIGKILL')
  await load.untilMore(50)
  const refused = await call('DELETE', `${url}/v1/cluster/members/${await nodeIdAt(url, cluster.nodes[0]!)}`)
  assert.equal(refused.body.code, 'change_in_progress')
  const { exitCode, output } = await cohortHere('remove', joining, '--url', url)
  assert.equal(exitCode, 0, output)
  const { epoch, members } = await untilVerdict(url, 'healthy')
  assert.deepEqual([epoch, members.length], [before.epoch! + 2, 3])
  await load.stop()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await missingOf(url, load.created), [])
  await rm(cluster.dataDirectory(3), { recursive: true })
})

test('a node that loses its disk while it joins is replaced within the change', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  const spare = cluster.nodes[3]!
  const epoch = (await clusterStatus(url)).epoch!
  await using load = new CreateLoad(url, 'exchange', 4)
  await load.untilMore(60)
  await add(url, spare)
  spare.signal('SIGSTOP')
  assert.equal((await clusterStatus(url)).epoch, epoch + 1)
  await spare.end('SIGKILL')
  await rm(cluster.dataDirectory(3), { recursive: true })
  spare.start()
  // The second epoch has replaced it, the third ends the change.
  const { members } = await untilEpoch([url], epoch + 3, CHANGED_MS)
  assert.equal(members.length, 4)
  await load.stop()
  assert.deepEqual(load.failed, [])
  await assertHolds(spare, load.created)
})

test('to 5 members and back to 3, one at a time, under load from two connectors: no request fails', async () => {
  const cluster = await aCluster()
  const urls = cluster.connectors.map(({ url }) => url)
  const [url, other] = urls as [string, string]
  const [n1, n2, n3, n4, n5] = cluster.nodes as [Service, Service, Service, Service, Service]
  await using a = new CreateLoad(url, 'a', 2)
  await using b = new CreateLoad(other, 'b', 2)
  const load = [a, b]
  await a.untilMore(50)
  const run = async (through: string, ...args: string[]) => {
    const { exitCode, output } = await cohortHere(...args, '--url', through)
    assert.equal(exitCode, 0, output)
    assert.match(output, /done with epoch \d+; the \d members are/)
  }
  const before = await clusterStatus(url)
  // The test before has added the first of them.
  const added = [n4, n5].filter(({ address }) => !before.members.some((member) => member.address === address))
  for (const { address } of added) await run(other, 'add', '--host', address)
  const grown = before.epoch! + 2 * added.length
  // A connector that has not heard of the end of a change begins no other one.
  const { members } = await untilEpoch(urls, grown, CHANGED_MS)
  assert.equal(members.length, 5)
  const two = [await nodeIdAt(url, n1), await nodeIdAt(url, n2)] as const
  const refused = await cohortHere('add', '--host', n5.address, '--url', url)
  assert.equal(refused.exitCode, 1)
  assert.match(refused.output, /already_a_member/)
  await run(url, 'remove', two[0])
  await untilEpoch(urls, grown + 2, CHANGED_MS)
  await run(other, 'remove', two[1])
  await untilEpoch(urls, grown + 4, CHANGED_MS)
  for (const removed of [n1, n2]) {
    assert.equal(await removed.exit(TOLD_MS), 6)
    assert.match(removed.output, /is no longer a member/)
  }
  await a.untilMore(50)
  await Promise.all(load.map((one) => one.stop()))
  for (const { failed } of load) assert.deepEqual(failed, [])
  const created = load.flatMap((one) => one.created)
  assert.deepEqual(await missingOf(other, created), [])
  await untilEqual([n3, n4, n5])
  const last = await nodeIdAt(url, n3)
  const tooFew = await cohortHere('remove', last, '--url', url)
  assert.equal(tooFew.exitCode, 1)
  assert.match(tooFew.output, /too_few_members/)
  // Empty nodes for the next test.
  for (const index of [0, 1]) await rm(cluster.dataDirectory(index), { recursive: true })
})

test('a member moves to another machine: the new node has everything, and the old one stops', async () => {
  const cluster = await aCluster()
  const [connector] = cluster.connectors as [Service]
  const { url } = connector
  const [n1, , n3, n4, n5] = cluster.nodes as [Service, Service, Service, Service, Service]
  const { epoch } = await clusterStatus(url)
  await using load = new CreateLoad(url, 'g', 4)
  await load.untilMore(60)
  const old = await nodeIdAt(url, n3)
  const { exitCode, output } = await cohortHere('replace', '--old', old, '--host', n1.address, '--url', url)
  assert.equal(exitCode, 0, output)
  assert.equal(await n3.exit(TOLD_MS), 6)
  await load.stop()
  assert.deepEqual(load.failed, [])
  await untilEqual([n1, n4, n5])
  await assertHolds(n1, load.created)
  // The connector finds the cluster again although one of its hosts is gone for good.
  await connector.end('SIGTERM')
  connector.start()
  await untilEpoch([url], epoch! + 2, HEARD_MS)
  assert.deepEqual(await missingOf(url, load.created.slice(0, 50)), [])
})

test('a change goes on when the connector that began it, and a node, are killed in its middle', async () => {
  // Until the node that was killed is back, no quorum of the new members answers: requests wait for it.
  await using cluster = await LocalCluster.start({
    spares: 1,
    connectors: 2,
    timeoutSeconds: 8,
    processes: ['connector1', 'node1', 'node4'],
  })
  const [first, second] = cluster.connectors as [Service, Service]
  const [n1, , , spare] = cluster.nodes as [Service, Service, Service, Service]
  const before = Array.from({ length: 400 }, (_, index) => ({ groupId: `before-${index}` }))
  await changeAll(first.url, 'create', before)
  await using load = new CreateLoad(second.url, 'g', 4)
  await add(first.url, spare)
  // The change does not end before the new node has confirmed every key.
  spare.signal('SIGSTOP')
  await untilStatus(second.url, 'the other connector has heard of it', ({ epoch }) => epoch === 2, HEARD_MS)
  await Promise.all([first.end('SIGKILL'), spare.end('SIGKILL'), n1.end('SIGKILL')])
  n1.start()
  // They go on with a quorum of both memberships.
  await load.untilMore(50)
  spare.start()
  await untilEpoch([second.url], 3, CHANGED_MS)
  await load.stop()
  assert.deepEqual(load.failed, [])
  const created = [...before.map(({ groupId }) => groupId), ...load.created]
  assert.deepEqual(await missingOf(second.url, created), [])
  await assertHolds(spare, created)
  first.start()
  await untilEpoch([first.url, second.url], 3, HEARD_MS)
  assert.equal((await create(first.url, 'at-last')).status, 201)
})
