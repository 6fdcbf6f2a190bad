/** The members of groups of the engine as a whole, with nodes in memory and a clock that the test drives. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { createGroup } from '../../../group/create-group.ts'
import { deleteGroup } from '../../../group/delete-group.ts'
import { putGroupMember, removeGroupMember } from '../../../group/put-group-member.ts'
import type { Outcome } from '../../../group/registry.ts'
import { AUTHOR } from '../../../testing/author.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { pass } from '../../../testing/memory-cluster.ts'
import { MemoryNetwork } from '../../../testing/memory-network.ts'
import { CohortEngine } from '../cohort-engine.ts'
import { KnownLives } from './known-lives.ts'
import { MemberProtocol, type Registers } from './member-protocol.ts'

const HOSTS = ['n1:1', 'n2:1', 'n3:1']
const NOW = '2026-01-01T00:00:00.000Z'
const GRACE_MS = 2_000

const clock = new ManualClock()
const network = new MemoryNetwork(clock)
const nodes = HOSTS.map((address, index) => network.add(address, `id${index + 1}`))
let drawn = 0
const engine = new CohortEngine({
  hosts: HOSTS,
  timeoutMs: 3_000,
  replaceAfterMs: 2_000,
  clusterId: undefined,
  tombstoneGraceMs: GRACE_MS,
  connect: network.connect,
  clock,
  random: () => {
    drawn += 1
    return (drawn * 0.618) % 1
  },
  logger: pino({ level: 'silent' }),
})
const { registry, groupMembers } = engine
let running: Promise<void> | undefined

before(async () => {
  running = engine.run()
  await until(() => engine.readiness.isReady(), 'the engine is ready')
})

after(async () => {
  engine.close()
  await running
})

async function until(isDone: () => boolean, claim: string): Promise<void> {
  for (let waitedMs = 0; !isDone(); waitedMs += 10) {
    assert.ok(waitedMs < 60_000, claim)
    await pass(clock, 10)
  }
}

/** The value of an operation, which must succeed. Time passes meanwhile. */
async function done<T>(operation: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T> | undefined
  const ending = operation.then((ended) => {
    outcome = ended
    return ended
  })
  await until(() => outcome !== undefined, 'it ends')
  const ended = await ending
  assert.ok(ended.kind === 'done', ended.kind)
  return ended.value
}

async function create(groupId: string): Promise<void> {
  drawn += 1
  await done(
    registry.change(groupId, createGroup({ groupId, now: NOW, author: AUTHOR, incarnation: `i${drawn}` })),
  )
}

async function put(groupId: string, memberId: string, role?: string): Promise<string> {
  drawn += 1
  const command = putGroupMember({ author: AUTHOR, memberId, role, now: NOW, incarnation: `m${drawn}` })
  const decision = await done(groupMembers.put(groupId, memberId, command))
  return decision.kind === 'refused' ? decision.refusal : decision.kind
}

async function isIn(groupId: string, memberId: string): Promise<string> {
  const { hasGroup, member } = await done(groupMembers.read(groupId, memberId))
  return hasGroup ? (member?.role ?? 'not in it') : 'no group'
}

const groupsOf = async (memberId: string, options = {}) => {
  const page = await done(groupMembers.groupsOf(memberId, { after: undefined, limit: 100, ...options }))
  return page.groups.map(({ groupId }) => groupId).join()
}

/** How many registers the nodes hold for group members and their index, with what is left of them. */
function heldCount(): number {
  const keys = nodes.flatMap(({ store }) => store.keys)
  return new Set(keys.filter((key) => key.startsWith('cluster/user-member'))).size
}

test('a member counts until it is removed, or its group is deleted, in both directions', async () => {
  assert.equal(await put('a', 'alice', 'owner'), 'group_not_found')
  for (const groupId of ['a', 'b', 'b2', 'c']) await create(groupId)
  for (const groupId of ['a', 'b', 'b2']) assert.equal(await put(groupId, 'alice', 'owner'), 'added')
  assert.equal(await put('a', 'alice', 'owner'), 'unchanged')
  assert.equal(await put('a', 'alice', 'guest'), 'changed')
  assert.equal(await isIn('a', 'alice'), 'guest')
  assert.equal(await isIn('c', 'alice'), 'not in it')
  assert.equal(await isIn('none', 'alice'), 'no group')
  assert.equal(await groupsOf('alice'), 'a,b,b2')
  assert.equal(await groupsOf('alice', { prefix: 'b' }), 'b,b2')
  assert.equal(await groupsOf('alice', { after: 'b' }), 'b2')
  assert.equal(await groupsOf('alice', { limit: 1 }), 'a')
  await done(groupMembers.remove('b2', 'alice', removeGroupMember({})))
  await done(registry.change('a', deleteGroup({})))
  assert.equal(await isIn('a', 'alice'), 'no group')
  assert.equal(await groupsOf('alice'), 'b')
  await create('a')
  assert.equal(await isIn('a', 'alice'), 'not in it')
  assert.equal(await groupsOf('alice'), 'b')
})

test('pages of any size give every member once, in order, and no member of another life', async () => {
  await create('many')
  await put('many', 'gone')
  await done(registry.change('many', deleteGroup({})))
  await create('many')
  const ids = Array.from({ length: 12 }, (_, index) => `m${String(index).padStart(2, '0')}`)
  for (const [index, memberId] of ids.entries()) await put('many', memberId, index % 3 === 0 ? 'x' : 'y')
  for (const limit of [1, 5, 12, 1_000]) {
    for (const role of [undefined, 'x']) {
      const found: string[] = []
      let next: string | undefined
      do {
        const page = await done(groupMembers.list('many', { after: next, limit, role }))
        found.push(...page.members!.map(({ memberId }) => memberId))
        next = page.after
      } while (next !== undefined)
      assert.deepEqual(found, role === undefined ? ids : ids.filter((_, index) => index % 3 === 0))
    }
  }
  assert.equal(
    (await done(groupMembers.list('none', { after: undefined, limit: 1, role: undefined }))).members,
    undefined,
  )
})

test('a walk over the members of all groups has those that count, once each, in pages of any size', async () => {
  for (const limit of [1, 4, 1_000]) {
    const found: string[] = []
    let next: string | undefined
    do {
      const page = await done(groupMembers.scan({ after: next, limit }))
      found.push(...page.members.map(({ groupId, member }) => `${groupId}/${member.memberId}`))
      next = page.after
    } while (next !== undefined)
    const many = Array.from({ length: 12 }, (_, index) => `many/m${String(index).padStart(2, '0')}`)
    assert.deepEqual(found, ['b/alice', ...many])
  }
})

test('what is left over of members is removed, and then its tombstones, and what counts stays', async () => {
  await create('short')
  for (let index = 0; index < 20; index += 1) await put('short', `m${index}`)
  const writes = heldCount()
  assert.ok(writes >= 40, `${writes}`)
  await done(registry.change('short', deleteGroup({})))
  const counted = 2 * (1 + 12)
  await until(() => heldCount() === counted, `${counted} registers are left, of ${heldCount()}`)
  assert.equal(await isIn('b', 'alice'), 'owner')
  assert.equal(await groupsOf('alice'), 'b')
  assert.equal(await groupsOf('m11'), 'many')
  assert.equal(
    (await done(groupMembers.list('many', { after: undefined, limit: 100, role: undefined }))).members
      ?.length,
    12,
  )
})

/** Registers in memory, and how often they were used. */
function aProtocol() {
  const values = new Map<string, Uint8Array | undefined>()
  const asked: string[] = []
  const world = { nowMs: 0, stepMs: 0 }
  const registers: Registers = {
    async read(key, resultOf) {
      asked.push('read')
      world.nowMs += world.stepMs
      return { kind: 'decided', result: resultOf(values.get(key)) }
    },
    async submit(key, decide) {
      asked.push('write')
      const decision = decide(values.get(key))
      assert.ok(decision.kind !== 'unreadable')
      if (decision.kind === 'propose') values.set(key, decision.value)
      return { kind: 'decided', result: decision.result }
    },
    settle: async () => ({ kind: 'decided', result: undefined }),
  }
  const protocol = new MemberProtocol({
    registers: () => registers,
    lives: new KnownLives(2),
    nowMs: () => world.nowMs,
    lifetimeMs: () => 1_000,
    drawTicket: () => 't',
  })
  values.set(
    'group/g',
    Buffer.from(
      JSON.stringify({ groupId: 'g', version: 1, incarnation: 'i', createdAt: NOW, updatedAt: NOW }),
    ),
  )
  return { protocol, values, asked, world }
}

test('a process that was stopped goes no further with the life that it has read', async () => {
  const command = putGroupMember({ author: AUTHOR, memberId: 'm', now: NOW, incarnation: 'x' })
  for (const stepMs of [1_000, 1_001]) {
    const { protocol, values, world } = aProtocol()
    world.stepMs = stepMs
    const kind = stepMs > 1_000 ? 'not_applied' : 'decided'
    assert.equal((await protocol.put('g', 'm', command)).kind, kind)
    assert.equal(values.size, stepMs > 1_000 ? 2 : 3, 'the entry alone counts for nothing')
    assert.equal((await aProtocolStopped(stepMs).read('g', 'm')).kind, kind)
    assert.equal((await aProtocolStopped(stepMs).remove('g', 'm', removeGroupMember({}))).kind, kind)
  }
})

function aProtocolStopped(stepMs: number): MemberProtocol {
  const { protocol, world } = aProtocol()
  world.stepMs = stepMs
  return protocol
}

test('a check reads the group and the member at once when it remembers the life', async () => {
  const { protocol, asked } = aProtocol()
  await protocol.read('g', 'm')
  asked.length = 0
  const reading = protocol.read('g', 'm')
  assert.deepEqual(asked, ['read', 'read'], 'both before the first answer')
  assert.equal((await reading).kind, 'decided')
})
