/**
 * The engine as a whole, with nodes in memory and a clock that the test drives: how many resources it holds
 * while it serves, and that it holds none after it was closed, whatever it was doing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { type ApiKey, createKey, revokeKey } from '../../access/api-key.ts'
import { EVERYONE } from '../../access/caller.ts'
import { createGroup } from '../../group/create-group.ts'
import { deleteGroup } from '../../group/delete-group.ts'
import { AUTHOR } from '../../testing/author.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { pass } from '../../testing/memory-cluster.ts'
import { aRecord } from '../../testing/memory-member.ts'
import { MemoryNetwork } from '../../testing/memory-network.ts'
import { assertSameCounts } from '../../testing/resource-counts.ts'
import { CohortEngine } from './cohort-engine.ts'
import { API_KEY_NAMESPACE } from './register-key-store.ts'

const HOSTS = ['n1:1', 'n2:1', 'n3:1']
const NOW = '2026-01-01T00:00:00.000Z'
const TIMEOUT_MS = 3_000
const KEY: ApiKey = {
  keyId: 'aaaaaaa1',
  name: 'ci',
  role: 'writer',
  hash: 'ab'.repeat(32),
  createdAt: NOW,
  createdBy: 'anonymous:everyone',
}
/** The longest time of a close that waits for no node and no client. */
const CLOSE_MS = 100

function aWorld() {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  const nodes = HOSTS.map((address, index) => network.add(address, `id${index + 1}`))
  const lines: Readonly<Record<string, unknown>>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line))
  let drawn = 0
  const newEngine = () => {
    const engine = new CohortEngine({
      hosts: HOSTS,
      timeoutMs: TIMEOUT_MS,
      replaceAfterMs: 2_000,
      clusterId: undefined,
      tombstoneGraceMs: 60_000,
      connect: network.connect,
      clock,
      random: () => {
        drawn += 1
        return (drawn * 0.618) % 1
      },
      logger: pino({ level: 'debug' }, { write }),
    })
    let hasEnded = false
    const running = engine.run().then(() => {
      hasEnded = true
    })
    return { engine, running, hasEnded: () => hasEnded }
  }
  const said = (message: string) => lines.filter(({ msg }) => msg === message).length
  return { clock, network, nodes, newEngine, said, lines }
}

type World = ReturnType<typeof aWorld>

/** Time passes until the engine serves. */
async function untilReady({ clock }: World, engine: CohortEngine): Promise<void> {
  for (let waitedMs = 0; !engine.readiness.isReady(); waitedMs += 50) {
    assert.ok(waitedMs < 5_000, 'it is ready')
    await pass(clock, 50)
  }
}

/** Runs an operation while time passes. */
async function during<T>({ clock }: World, operation: Promise<T>): Promise<T> {
  let isOver = false
  const done = operation.finally(() => {
    isOver = true
  })
  for (let waitedMs = 0; !isOver; waitedMs += 10) {
    assert.ok(waitedMs < 2 * TIMEOUT_MS, 'it ends')
    await pass(clock, 10)
  }
  return done
}

async function createAndDelete(world: World, engine: CohortEngine): Promise<void> {
  for (let index = 0; index < 40; index += 1) {
    const groupId = `g${index}`
    const create = createGroup({ groupId, now: NOW, author: AUTHOR, incarnation: 'i' })
    assert.equal((await during(world, engine.registry.change(groupId, create))).kind, 'done')
    if (index % 2 === 0) await during(world, engine.registry.change(groupId, deleteGroup({})))
  }
}

/** The third node lacks so many keys, as after it was away for long. */
function lose({ nodes }: World, count: number): void {
  for (const { store } of nodes.slice(0, 2)) {
    store.transaction(() => {
      for (let index = 0; index < count; index += 1) {
        const key = `group/z${1_000 + index}`
        store.save(key, store.load(key), aRecord(1, [1]))
      }
    })
  }
}

/** Closes the engine, and asserts that it ends soon and leaves no resource open. */
async function assertEndsWhole(
  world: World,
  { engine, running, hasEnded }: ReturnType<World['newEngine']>,
): Promise<void> {
  engine.close()
  await pass(world.clock, CLOSE_MS)
  assert.ok(hasEnded(), `it has ended within ${CLOSE_MS} ms`)
  await running
  assertSameCounts({}, world.network.counts)
}

test('after a cluster was formed, there is one stream to each node, and one transport', async () => {
  const world = aWorld()
  const started = world.newEngine()
  await untilReady(world, started.engine)
  await pass(world.clock, 2_000)
  assert.equal(world.network.counts.streams, 3)
  await assertEndsWhole(world, started)
})

test('an engine holds as much after minutes of work as before', async () => {
  const world = aWorld()
  const { clock, network } = world
  const started = world.newEngine()
  const { engine } = started
  await untilReady(world, engine)
  await createAndDelete(world, engine)
  await pass(clock, 10_000)
  const { timers: timersBefore, ...before } = network.counts
  for (let round = 0; round < 2; round += 1) {
    await createAndDelete(world, engine)
    await during(world, engine.replicas.describe('g1'))
    // A node that hangs, and one that ends and comes back: links, scans and questions are lost in the middle.
    world.nodes[2]!.isStopped = true
    await pass(clock, 5_000)
    await during(world, engine.replicas.describe('g1'))
    world.nodes[2]!.isStopped = false
    await pass(clock, 10_000)
  }
  const { timers: timersAfter, ...after } = network.counts
  assertSameCounts({ ...before, questions: 0, scans: 0 }, { ...after, questions: 0, scans: 0 })
  // Each time other loops may be waiting.
  assert.ok(timersAfter! <= timersBefore! + 3, `${timersAfter} timers, ${timersBefore} before`)
  assert.equal(network.connectCount, HOSTS.length, 'one transport for each address')
  await assertEndsWhole(world, started)
})

test('the membership that is chosen is read every two seconds, for as long as the engine runs', async () => {
  const world = aWorld()
  const started = world.newEngine()
  await untilReady(world, started.engine)
  await pass(world.clock, 3_000)
  // Two of three nodes are asked for each read.
  const readCount = () =>
    world.nodes.flatMap(({ requests }) => requests).filter(isReadOfMembership).length / 2
  const before = readCount()
  await pass(world.clock, 20_000)
  const count = readCount() - before
  assert.ok(count >= 8 && count <= 11, `${count} reads in 20 s`)
  await assertEndsWhole(world, started)
})

function isReadOfMembership({ key, kind }: Readonly<{ key: string; kind: string }>): boolean {
  return key === 'cluster/membership' && kind === 'read'
}

test('after a change of the membership there is a stream to each member, and no work on the change goes on', async () => {
  const world = aWorld()
  const { clock, network, nodes } = world
  const started = world.newEngine()
  const { engine } = started
  await untilReady(world, engine)
  await createAndDelete(world, engine)
  nodes.push(network.add('n4:1', 'id4'))
  assert.equal((await during(world, engine.members.add('n4:1'))).kind, 'accepted')
  await pass(clock, 10_000)
  assert.deepEqual([engine.status.describe().epoch, network.counts.streams], [3, 4])
  assert.equal(world.said('this connector carries out the change of the membership'), 1)
  const claims = () => nodes.flatMap(({ requests }) => requests).filter(isClaim).length
  assert.ok(claims() > 0, 'whoever works on it says so')
  // What was on its way when the epoch ended.
  await pass(clock, 2_000)
  const before = claims()
  await pass(clock, 10_000)
  assert.equal(claims(), before)

  assert.equal((await during(world, engine.members.remove('id1'))).kind, 'accepted')
  await pass(clock, 10_000)
  assert.deepEqual([engine.status.describe().epoch, network.counts.streams], [5, 3])
  assert.ok(!nodes[0]!.isThere, 'the node that left was told so')
  await assertEndsWhole(world, started)
})

function isClaim({ key }: Readonly<{ key: string }>): boolean {
  return key === 'cluster/transfer'
}

test('the reports of nodes are at most three seconds old, also while one of them hangs', async () => {
  const world = aWorld()
  const started = world.newEngine()
  const { engine } = started
  await untilReady(world, engine)
  await pass(world.clock, 3_000)
  world.nodes[2]!.isStopped = true
  await pass(world.clock, 5_000)
  const records = () => engine.status.describe().members.map(({ records }) => records)
  const [before, , ofHanging] = records()
  assert.equal(ofHanging, null)
  await createAndDelete(world, engine)
  // A second until the one that hangs is given up, one of rest, and one more.
  await pass(world.clock, 3_050)
  const [after] = records()
  assert.ok(after! >= before! + 20, `${after} records, ${before} before`)
  await assertEndsWhole(world, started)
})

test('a node that lacks keys is given them at the pace of repair, and told of in one line when all have it', async () => {
  const world = aWorld()
  const started = world.newEngine()
  const { engine } = started
  await untilReady(world, engine)
  await createAndDelete(world, engine)
  await pass(world.clock, 3_000)
  lose(world, 1_000)
  const [, , third] = world.nodes
  const taught = () => third!.requests.filter(({ kind }) => kind === 'learn').length
  const untilTaught = async (count: number): Promise<number> => {
    for (let waitedMs = 0; taught() < count; waitedMs += 1) {
      assert.ok(waitedMs < 10_000, 'it is given what it lacks')
      await pass(world.clock, 1)
    }
    return world.clock.nowMs()
  }
  const startMs = await untilTaught(200)
  const tookMs = (await untilTaught(800)) - startMs
  // 6,000 a second, and what is read and not yet taught.
  assert.ok(tookMs >= 50 && tookMs < 2_000, `${tookMs} ms for 600 keys`)
  await untilTaught(1_000)
  await pass(world.clock, 1_000)
  const repaired = world.lines.filter(({ msg }) => msg === 'repaired keys in which nodes differed')
  assert.deepEqual(
    repaired.map(({ learned, failed }) => [learned, failed]),
    [[1_000, 0]],
  )
  await assertEndsWhole(world, started)
})

test('API keys are as safe as groups: transferred, repaired, removed when revoked, and in no list of groups', async () => {
  const world = aWorld()
  const { clock, network, nodes } = world
  const started = world.newEngine()
  const { engine } = started
  await untilReady(world, engine)
  const keyIds = ['aaaaaaa1', 'aaaaaaa2', 'aaaaaaa3']
  for (const keyId of keyIds) {
    const created = await during(world, engine.keys.change(keyId, createKey({ ...KEY, keyId })))
    assert.equal(created.kind, 'done')
  }
  const ofKeys = (node: (typeof nodes)[number]) =>
    keyIds.filter((keyId) => node.store.load(API_KEY_NAMESPACE + keyId).state.value !== undefined)

  const groups = await during(world, engine.registry.scan({ after: undefined, limit: 10 }))
  assert.deepEqual(groups, { kind: 'done', value: { groups: [], after: undefined } })
  const pages = [
    await during(world, engine.keys.scan({ after: undefined, limit: 2 })),
    await during(world, engine.keys.scan({ after: 'aaaaaaa2', limit: 2 })),
  ].map((page) =>
    page.kind === 'done' ? [page.value.keys.map(({ keyId }) => keyId), page.value.after] : page,
  )
  assert.deepEqual(pages, [
    [['aaaaaaa1', 'aaaaaaa2'], 'aaaaaaa2'],
    [['aaaaaaa3'], undefined],
  ])

  // A node that was away while a key was made gets it.
  nodes[2]!.isStopped = true
  await during(world, engine.keys.change('aaaaaaa4', createKey({ ...KEY, keyId: 'aaaaaaa4' })))
  keyIds.push('aaaaaaa4')
  await pass(clock, 5_000)
  assert.equal(ofKeys(nodes[2]!).length, 3)
  nodes[2]!.isStopped = false
  await pass(clock, 10_000)
  assert.equal(ofKeys(nodes[2]!).length, 4)

  // So does a node that becomes a member.
  nodes.push(network.add('n4:1', 'id4'))
  await during(world, engine.members.replace('id1', 'n4:1'))
  await pass(clock, 10_000)
  assert.equal(ofKeys(nodes[3]!).length, 4)

  // A revoked key leaves a tombstone, which goes as that of a group does. The other registers stay.
  for (const keyId of keyIds) await during(world, engine.keys.change(keyId, revokeKey(EVERYONE)))
  await pass(clock, 300_000)
  for (const node of nodes.slice(1)) {
    const kept = [...node.store.scan({ start: '', end: '', omitValues: false }, 100).entries]
    assert.deepEqual(
      kept.map(({ key }) => key),
      ['cluster/membership', 'cluster/transfer'],
    )
  }
  await assertEndsWhole(world, started)
})

test('lists begin at one node after the other', async () => {
  const world = aWorld()
  const started = world.newEngine()
  const { engine } = started
  await untilReady(world, engine)
  await pass(world.clock, 3_000)
  const before = world.nodes.map(({ scanCount }) => scanCount)
  for (let count = 0; count < 12; count += 1)
    await during(world, engine.registry.scan({ after: undefined, limit: 10 }))
  const scans = world.nodes.map(({ scanCount }, index) => scanCount - before[index]!)
  assert.ok(
    scans.every((count) => count >= 6),
    `${scans} scans of 12 lists`,
  )
  await assertEndsWhole(world, started)
})

test('the lag of nodes that cannot be compared any more is not known', async () => {
  const world = aWorld()
  const started = world.newEngine()
  const { engine } = started
  await untilReady(world, engine)
  await pass(world.clock, 5_000)
  const lags = () => engine.status.describe().members.map(({ lag }) => lag)
  assert.deepEqual(lags(), [0, 0, 0])
  for (const node of world.nodes.slice(1)) node.isStopped = true
  await pass(world.clock, 8_000)
  assert.deepEqual(lags(), [null, null, null])
  await assertEndsWhole(world, started)
})

/** What an engine can be doing when it is closed. */
const MIDDLES: Readonly<Record<string, (world: World, engine: CohortEngine) => Promise<void>>> = {
  'its first question': async () => {},
  'its first millisecond': ({ clock }) => pass(clock, 1),
  'a search without nodes': async ({ clock, nodes }) => {
    for (const node of nodes) node.end()
    await pass(clock, 700)
  },
  'a search among nodes that hang': async ({ clock, nodes }) => {
    for (const node of nodes) node.isStopped = true
    await pass(clock, 700)
  },
  'quiet times': async (world, engine) => {
    await untilReady(world, engine)
    await pass(world.clock, 7_321)
  },
  'work for clients': async (world, engine) => {
    await untilReady(world, engine)
    for (let index = 0; index < 100; index += 1) {
      const groupId = `g${index}`
      void engine.registry.change(
        groupId,
        createGroup({ groupId, now: NOW, author: AUTHOR, incarnation: 'i' }),
      )
      void engine.registry.read(groupId)
    }
    await pass(world.clock, 1)
  },
  'questions to a node that hangs': async (world, engine) => {
    await untilReady(world, engine)
    await createAndDelete(world, engine)
    world.nodes[1]!.isStopped = true
    await pass(world.clock, 3_456)
    void engine.replicas.describe('g1')
    await pass(world.clock, 1)
  },
  'a repair of many keys': async (world, engine) => {
    await untilReady(world, engine)
    await createAndDelete(world, engine)
    await pass(world.clock, 3_000)
    lose(world, 1_000)
    const [, , third] = world.nodes
    // Beyond what begins at once, so that its pace holds it back.
    const taught = () => third!.requests.filter(({ kind }) => kind === 'learn').length
    for (let waitedMs = 0; taught() < 300; waitedMs += 1) {
      assert.ok(waitedMs < 10_000, 'repair has begun')
      await pass(world.clock, 1)
    }
    assert.ok(world.network.counts.scans! > 0, 'in the middle of its scans')
  },
  'times without a quorum': async (world, engine) => {
    await untilReady(world, engine)
    for (const node of world.nodes.slice(1)) node.end()
    await pass(world.clock, 2_345)
  },
  'a change that waits for its new node': async (world, engine) => {
    await untilReady(world, engine)
    await createAndDelete(world, engine)
    const joining = world.network.add('n4:1', 'id4')
    await during(world, engine.members.add('n4:1'))
    joining.isStopped = true
    await pass(world.clock, 4_000)
  },
}

for (const [name, untilThen] of Object.entries(MIDDLES)) {
  test(`an engine that is closed in the middle of ${name} ends at once and leaves nothing`, async () => {
    const world = aWorld()
    const started = world.newEngine()
    await untilThen(world, started.engine)
    await assertEndsWhole(world, started)
  })
}
