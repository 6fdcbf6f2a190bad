/** Members that come, go and are replaced, in real clusters under load, whatever ends in the middle of it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { CreateLoad, call, create, missingOf } from './load.ts'
import { LocalCluster, type Service, until } from './local-cluster.ts'
import { contentsOf, differences } from './node-contents.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))

async function statusOf(url: string): Promise<ClusterStatus> {
  const { body } = await call('GET', `${url}/v1/cluster`)
  return body as unknown as ClusterStatus
}

async function nodeIdAt(url: string, { address }: Service): Promise<string> {
  const member = (await statusOf(url)).members.find((candidate) => candidate.address === address)
  return member?.nodeId ?? assert.fail(`no member at ${address}`)
}

/** Runs a command against a connector; ends with its exit code and what it printed. */
async function cohort(url: string, ...args: string[]): Promise<{ exitCode: number | null; printed: string }> {
  const child = execFile(process.execPath, [PROGRAM, ...args, '--url', url])
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (printed += chunk))
  const [exitCode] = await once(child, 'close')
  return { exitCode, printed }
}

function outputsOf(cluster: LocalCluster): string {
  return cluster.services.map(({ name, output }) => `--- ${name}\n${output}`).join('\n')
}

/** Waits until every connector that runs is in this epoch, and no change is under way. */
async function untilEpoch(cluster: LocalCluster, urls: readonly string[], epoch: number): Promise<void> {
  await until(
    `epoch ${epoch}`,
    60_000,
    async () => (await Promise.all(urls.map(statusOf))).every((status) => status.epoch === epoch),
    () => outputsOf(cluster),
  )
}

async function untilEqual(nodes: readonly Service[]): Promise<void> {
  await until('all members hold the same', 30_000, async () => {
    return (await differences(nodes).catch(() => ['not reached'])).length === 0
  })
}

test('from 3 to 5 and back to 3, one at a time, under load from two connectors: no request fails', async () => {
  await using cluster = await LocalCluster.start({ spares: 2, connectors: 2 })
  const urls = cluster.connectors.map(({ url }) => url)
  const [url, other] = urls as [string, string]
  const [n1, n2, n3, n4, n5] = cluster.nodes as [Service, Service, Service, Service, Service]
  await using a = new CreateLoad(url, 'a', 6)
  await using b = new CreateLoad(other, 'b', 6)
  const load = [a, b]
  await until('there is something to copy', 60_000, () => a.created.length > 400)
  const run = async (through: string, ...args: string[]) => {
    const { exitCode, printed } = await cohort(through, ...args)
    assert.equal(exitCode, 0, `${printed}\n${outputsOf(cluster)}`)
    assert.match(printed, /done with epoch \d+; the \d members are/)
  }
  await run(url, 'add', '--host', n4.address)
  await run(other, 'add', '--host', n5.address)
  await untilEpoch(cluster, urls, 5)
  assert.equal((await statusOf(url)).members.length, 5)
  const two = [await nodeIdAt(url, n1), await nodeIdAt(url, n2)] as const
  const refused = await cohort(url, 'add', '--host', n4.address)
  assert.equal(refused.exitCode, 1)
  assert.match(refused.printed, /already_a_member/)
  await run(url, 'remove', two[0])
  await run(other, 'remove', two[1])
  await untilEpoch(cluster, urls, 9)
  for (const removed of [n1, n2]) {
    assert.equal(await removed.exit(), 6)
    assert.match(removed.output, /is no longer a member/)
  }
  const seen = a.created.length
  await until('creates go on', 10_000, () => a.created.length > seen + 100)
  await Promise.all(load.map((one) => one.stop()))
  for (const { failed } of load) assert.deepEqual(failed, [])
  const created = load.flatMap((one) => one.created)
  assert.deepEqual(await missingOf(other, created), [])
  await untilEqual([n3, n4, n5])
  const last = await nodeIdAt(url, n3)
  const tooFew = await cohort(url, 'remove', last)
  assert.equal(tooFew.exitCode, 1)
  assert.match(tooFew.printed, /too_few_members/)
})

test('a member moves to another machine: the new node has everything, and the old one stops', async () => {
  await using cluster = await LocalCluster.start({ spares: 1 })
  const { url } = cluster.connectors[0]!
  const [n1, n2, n3, n4] = cluster.nodes as [Service, Service, Service, Service]
  await using load = new CreateLoad(url, 'g', 4)
  await until('there is something to copy', 60_000, () => load.created.length > 400)
  const old = await nodeIdAt(url, n2)
  const { exitCode, printed } = await cohort(url, 'replace', '--old', old, '--host', n4.address)
  assert.equal(exitCode, 0, `${printed}\n${outputsOf(cluster)}`)
  assert.equal(await n2.exit(), 6)
  await load.stop()
  assert.deepEqual(load.failed, [])
  await untilEqual([n1, n3, n4])
  const contents = await contentsOf(n4)
  assert.deepEqual(
    load.created.filter((groupId) => !contents.has(`group/${groupId}`)),
    [],
  )
  // The connector finds the cluster again although one of its hosts is gone for good.
  await cluster.connectors[0]!.end('SIGTERM')
  cluster.connectors[0]!.start()
  await until('it is found again', 20_000, async () => (await statusOf(url)).epoch === 3)
  assert.deepEqual(await missingOf(url, load.created.slice(0, 50)), [])
})

test('what cannot be done is refused with the reason, and nothing is begun', async () => {
  await using cluster = await LocalCluster.start({ spares: 1 })
  await using foreign = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
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
  assert.equal((await statusOf(url)).epoch, 1)
})

test('a change goes on when the connector that began it, and a node, are killed in its middle', async () => {
  await using cluster = await LocalCluster.start({ spares: 1, connectors: 2 })
  const [first, second] = cluster.connectors as [Service, Service]
  const spare = cluster.nodes[3]!
  await using before = new CreateLoad(first.url, 'before', 16)
  await until('there is something to copy', 60_000, () => before.created.length > 4_000)
  await before.stop()
  await using load = new CreateLoad(second.url, 'g', 4)
  const { status } = await call('POST', `${first.url}/v1/cluster/members`, { address: spare.address })
  assert.equal(status, 202)
  // Nothing is over before the new node has said of every key that it has it.
  spare.signal('SIGSTOP')
  await until(
    'the other connector has heard of it',
    20_000,
    async () => (await statusOf(second.url)).epoch === 2,
  )
  await Promise.all([first.end('SIGKILL'), spare.end('SIGKILL'), cluster.nodes[0]!.end('SIGKILL')])
  cluster.nodes[0]!.start()
  const seen = load.created.length
  await until(
    'creates go on with a quorum of both memberships',
    20_000,
    () => load.created.length > seen + 50,
  )
  spare.start()
  await untilEpoch(cluster, [second.url], 3)
  await load.stop()
  assert.deepEqual(load.failed, [], outputsOf(cluster))
  const created = [...before.created, ...load.created]
  assert.deepEqual(await missingOf(second.url, created), [])
  const contents = await contentsOf(spare)
  assert.deepEqual(
    created.filter((groupId) => !contents.has(`group/${groupId}`)),
    [],
  )
  first.start()
  await untilEpoch(cluster, [first.url, second.url], 3)
  assert.equal((await create(first.url, 'at-last')).status, 201)
})

test('a node that loses its disk while it joins is exchanged within the change', async () => {
  await using cluster = await LocalCluster.start({ spares: 1 })
  const { url } = cluster.connectors[0]!
  const spare = cluster.nodes[3]!
  await using load = new CreateLoad(url, 'g', 4)
  await until('there is something to copy', 60_000, () => load.created.length > 400)
  assert.equal((await call('POST', `${url}/v1/cluster/members`, { address: spare.address })).status, 202)
  spare.signal('SIGSTOP')
  assert.equal((await statusOf(url)).epoch, 2)
  await spare.end('SIGKILL')
  await rm(cluster.dataDirectory(3), { recursive: true })
  spare.start()
  // The third epoch has exchanged it, the fourth is without the change.
  await untilEpoch(cluster, [url], 4)
  assert.equal((await statusOf(url)).members.length, 4)
  await load.stop()
  assert.deepEqual(load.failed, [])
  const contents = await contentsOf(spare)
  assert.deepEqual(
    load.created.filter((groupId) => !contents.has(`group/${groupId}`)),
    [],
  )
})

test('a change whose new node is gone for good is taken back by removing that one', async () => {
  await using cluster = await LocalCluster.start({ spares: 1 })
  const { url } = cluster.connectors[0]!
  const spare = cluster.nodes[3]!
  await using load = new CreateLoad(url, 'g', 4)
  await until('there is something to copy', 60_000, () => load.created.length > 400)
  assert.equal((await call('POST', `${url}/v1/cluster/members`, { address: spare.address })).status, 202)
  spare.signal('SIGSTOP')
  const joining = await nodeIdAt(url, spare)
  await spare.end('SIGKILL')
  const seen = load.created.length
  await until('creates go on', 20_000, () => load.created.length > seen + 50)
  const refused = await call('DELETE', `${url}/v1/cluster/members/${await nodeIdAt(url, cluster.nodes[0]!)}`)
  assert.equal(refused.body.code, 'change_in_progress')
  const { exitCode, printed } = await cohort(url, 'remove', joining)
  assert.equal(exitCode, 0, `${printed}\n${outputsOf(cluster)}`)
  const { epoch, members, verdict } = await statusOf(url)
  assert.deepEqual([epoch, members.length, verdict], [3, 3, 'healthy'])
  await load.stop()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await missingOf(url, load.created), [])
})
