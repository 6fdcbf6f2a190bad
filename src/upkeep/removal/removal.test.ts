import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, EMPTY_RECORD } from '../../register/acceptor.ts'
import { type Ballot, nextFastBallot } from '../../register/ballot.ts'
import type { KeyRecord, Request } from '../../register/messages.ts'
import { ABSENT, type State, successor } from '../../register/state.ts'
import type { PendingRequest } from '../../replication/links/pending-request.ts'
import type { ScanEntry, ScanRange } from '../../rpc/messages.ts'
import { Chance } from '../../sim/chance.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { REMOVAL_LIMITS, Removal } from './removal.ts'
import type { RemovalMember } from './removal-target.ts'

const GRACE_MS = 10_000
const PAGE_KEYS = 3
const GROUP = successor(ABSENT, { proposerId: 1, sequence: 1 }, Uint8Array.of(1))
const TOMBSTONE = successor(GROUP, { proposerId: 1, sequence: 2 }, undefined)
const FRESH_GROUP = successor(ABSENT, { proposerId: 2, sequence: 1 }, Uint8Array.of(2))

/** A member with its records in memory. */
class MemoryMember implements RemovalMember {
  readonly records = new Map<string, KeyRecord>()
  readonly requests: Request[] = []
  scanCount = 0
  readonly recipient = { clusterId: 'c', epoch: 1, nodeId: 'n' }
  isReachable = true
  /** Called before a request is answered. */
  onRequest: (request: Request) => void = () => {}

  take(key: string, ...requests: readonly Request[]): void {
    for (const request of requests) {
      const { record } = answer(this.records.get(key) ?? EMPTY_RECORD, request)
      if (record === EMPTY_RECORD) this.records.delete(key)
      else this.records.set(key, record)
    }
  }

  get link(): RemovalMember['link'] {
    return { isReachable: this.isReachable, send: (pending) => this.#send(pending) }
  }

  readonly transport = { scan: (range: ScanRange) => this.#scan(range) }

  #send({ key, request, onAnswer }: PendingRequest): boolean {
    this.requests.push(request)
    this.onRequest(request)
    const given = answer(this.records.get(key) ?? EMPTY_RECORD, request)
    this.take(key, request)
    queueMicrotask(() => onAnswer(given))
    return this.isReachable
  }

  async *#scan({ start, end }: ScanRange): AsyncGenerator<readonly ScanEntry[]> {
    this.scanCount += 1
    const entries = [...this.records]
      .map(([key, record]) => ({ key, record }))
      .filter(({ key, record }) => key >= start && key < end && record.state.value === undefined)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    for (let first = 0; first < entries.length; first += PAGE_KEYS)
      yield entries.slice(first, first + PAGE_KEYS)
  }
}

function aRemoval(limits: Partial<typeof REMOVAL_LIMITS> = {}, random = () => 0.5) {
  const clock = new ManualClock()
  const members = [new MemoryMember(), new MemoryMember(), new MemoryMember()]
  let client = { settle: (key: string) => settle(key) }
  /** Does what a classic round of the identity command would do: absence is chosen above every promise. */
  const settle = async (key: string) => {
    const ballot = { round: 50, proposerId: 9 }
    for (const member of members) {
      member.take(key, { kind: 'accept', ballot, state: ABSENT, next: nextFastBallot(ballot) })
    }
    return { kind: 'decided' as const, result: undefined }
  }
  let isChanging = false
  let drawn = 1_000
  const removal = new Removal({
    target: () => (isChanging ? undefined : { members, client }),
    range: { start: 'group/', end: 'group0' },
    graceMs: () => GRACE_MS,
    clock,
    random,
    drawProposerId: () => ++drawn,
    limits: { ...REMOVAL_LIMITS, pageRecordsMax: PAGE_KEYS, ...limits },
    logger: { info: () => {}, debug: () => {} },
  })
  return {
    clock,
    members,
    removal,
    changeEpoch: () => {
      client = { settle }
    },
    /** The membership is being changed from now on. */
    beginChange: () => {
      isChanging = true
    },
    /** Lets time pass, in steps shorter than any pause. */
    async pass(ms: number) {
      for (let i = 0; i < ms / 50; i += 1) {
        clock.advance(50)
        for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

function accept(ballot: Ballot, state: State): Request {
  return { kind: 'accept', ballot, state, next: nextFastBallot(ballot) }
}

const DELETED = [
  accept({ round: 1, proposerId: 0 }, GROUP),
  accept({ round: 2, proposerId: 0 }, TOMBSTONE),
] as const

function deleteOnAll(members: readonly MemoryMember[], keys: readonly string[]): void {
  for (const member of members) for (const key of keys) member.take(key, ...DELETED)
}

/** Runs a removal until the end of a test. */
async function running(removal: Removal, test: () => Promise<void>): Promise<void> {
  const ended = removal.run()
  await test()
  removal.close()
  await ended
}

const isStub = (member: MemoryMember, key: string) => member.records.get(key)?.isStub === true

test('a tombstone is a stub after one grace time, gone after two, and neither before', async () => {
  const { members, removal, pass } = aRemoval()
  const keys = Array.from({ length: 20 }, (_, index) => `group/${index}`)
  deleteOnAll(members, keys)
  await running(removal, async () => {
    await pass(GRACE_MS - 100)
    assert.ok(keys.every((key) => members.every((member) => !isStub(member, key))))
    assert.equal(removal.report.waitingCount, 20)
    await pass(GRACE_MS - 1_000)
    assert.ok(keys.every((key) => members.every((member) => isStub(member, key))))
    await pass(1.6 * GRACE_MS)
  })
  for (const { records } of members) assert.equal(records.size, 0)
  const { removedCount, stubbedCount } = removal.report
  assert.deepEqual([stubbedCount, removedCount], [20, 20])
})

test('nothing is removed while a member does not answer, differs, or holds a group', async () => {
  const { members, removal, pass } = aRemoval()
  const [first, , third] = members
  deleteOnAll(members, ['group/away'])
  await running(removal, async () => {
    third!.isReachable = false
    await pass(8 * GRACE_MS)
    third!.isReachable = true
    third!.take('group/differs', DELETED[0])
    for (const member of members.slice(0, 2)) member.take('group/differs', ...DELETED)
    first!.records.set('group/half', { ...EMPTY_RECORD, promised: { round: 9, proposerId: 8 }, isStub: true })
    third!.take('group/half', DELETED[0])
    assert.equal(members.flatMap(({ requests }) => requests).length, 0)
    await pass(8 * GRACE_MS)
  })
  assert.ok(!first!.records.has('group/away'))
  assert.equal(third!.records.get('group/differs')?.state, GROUP)
  assert.equal(first!.records.get('group/differs')?.state, TOMBSTONE)
  assert.ok(
    isStub(first!, 'group/half'),
    'a third of the members has a group there, which no scan of tombstones lists',
  )
})

test('a key that a vote has changed between the last walk and the last report is left alone', async () => {
  const { members, removal, pass } = aRemoval()
  deleteOnAll(members, ['group/a'])
  const [first] = members
  first!.onRequest = ({ kind }) => {
    if (kind === 'read')
      first!.take(
        'group/a',
        accept(
          { round: 3, proposerId: 0 },
          successor(TOMBSTONE, { proposerId: 3, sequence: 1 }, Uint8Array.of(3)),
        ),
      )
  }
  await running(removal, () => pass(3 * GRACE_MS))
  assert.ok(members.every((member) => !isStub(member, 'group/a')))
})

test('a stub whose promise rises starts its grace time again', async () => {
  const { members, removal, pass } = aRemoval()
  deleteOnAll(members, ['group/a'])
  await running(removal, async () => {
    await pass(1.5 * GRACE_MS)
    assert.ok(members.every((member) => isStub(member, 'group/a')))
    members[1]!.take('group/a', { kind: 'prepare', ballot: { round: 30, proposerId: 5 } })
    await pass(0.9 * GRACE_MS)
    assert.ok(members.every((member) => isStub(member, 'group/a')))
    await pass(1.5 * GRACE_MS)
  })
  for (const { records } of members) assert.equal(records.size, 0)
})

test('findings of another epoch do not count', async () => {
  const { members, removal, pass, changeEpoch } = aRemoval()
  deleteOnAll(members, ['group/a'])
  await running(removal, async () => {
    await pass(0.9 * GRACE_MS)
    changeEpoch()
    await pass(0.9 * GRACE_MS)
    assert.ok(members.every((member) => !isStub(member, 'group/a')))
    await pass(0.5 * GRACE_MS)
    assert.ok(members.every((member) => isStub(member, 'group/a')))
  })
})

test('a process that was stopped between the last report and its step does not take the step', async () => {
  const { clock, members, removal, pass } = aRemoval()
  deleteOnAll(members, ['group/a'])
  let stopCount = 0
  members[0]!.onRequest = ({ kind }) => {
    if (kind !== 'read') return
    stopCount += 1
    clock.skip(GRACE_MS)
  }
  await running(removal, async () => {
    await pass(1.2 * GRACE_MS)
    assert.ok(stopCount > 0)
    assert.ok(members.every(({ requests }) => requests.every(({ kind }) => kind === 'read')))
  })
})

test('promises without votes are removed too, through an absence that is chosen first', async () => {
  const { members, removal, pass } = aRemoval()
  members[1]!.take('group/never', { kind: 'prepare', ballot: { round: 7, proposerId: 5 } })
  await running(removal, () => pass(6 * GRACE_MS))
  for (const { records } of members) assert.equal(records.size, 0)
  assert.deepEqual([removal.report.settledCount, removal.report.removedCount], [1, 1])
})

test('a drop that reached some members only is finished, and a group on the others is not touched', async () => {
  const { members, removal, pass } = aRemoval()
  const stub: KeyRecord = { ...EMPTY_RECORD, promised: { round: 9, proposerId: 8 }, isStub: true }
  members[0]!.records.set('group/a', stub)
  members[0]!.records.set('group/b', stub)
  for (const member of members.slice(1))
    member.take('group/b', accept({ round: 1, proposerId: 0 }, FRESH_GROUP))
  await running(removal, () => pass(2 * GRACE_MS))
  assert.ok(!members[0]!.records.has('group/a'))
  assert.equal(members[0]!.records.get('group/b'), stub)
})

test('keys for which there is no room wait for their turn, and all are removed in the end', async () => {
  const chance = new Chance(1)
  const { members, removal, pass } = aRemoval({ keysMax: 300 }, () => chance.uniform())
  const keys = Array.from({ length: 600 }, (_, index) => `group/${index}`)
  deleteOnAll(members, keys)
  await running(removal, async () => {
    await pass(2 * GRACE_MS)
    assert.ok(removal.report.waitingCount <= 300)
    await pass(8 * GRACE_MS)
  })
  for (const { records } of members) assert.equal(records.size, 0)
})

for (const [why, end] of [
  ['its epoch is over', ({ changeEpoch }) => changeEpoch()],
  ['the membership is being changed', ({ beginChange }) => beginChange()],
  ['a member is lost', ({ members }) => void Object.assign(members[1]!, { isReachable: false })],
  ['it is closed', ({ removal }) => removal.close()],
] as readonly (readonly [string, (world: ReturnType<typeof aRemoval>) => void])[]) {
  test(`a walk reads no further page when ${why}`, async () => {
    const world = aRemoval({ pauseMsMin: 60_000 })
    const { clock, members, removal } = world
    const keys = Array.from({ length: 60 }, (_, index) => `group/${100 + index}`)
    deleteOnAll(members, keys)
    const ended = removal.run()
    const turns = async () => {
      for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    while (members[0]!.scanCount < 4) {
      clock.advance(1)
      await turns()
    }
    end(world)
    const before = members[0]!.scanCount
    for (let ms = 0; ms < 50; ms += 1) {
      clock.advance(1)
      await turns()
    }
    assert.equal(members[0]!.scanCount, before)
    removal.close()
    await ended
    assert.equal(clock.taskCount, 0)
  })
}

test('no more keys are handled in a second than the limit says, so that clients have the nodes', async () => {
  const { members, removal, pass } = aRemoval({ keysPerSecond: 2 }, () => 0)
  const keys = Array.from({ length: 12 }, (_, index) => `group/k${index + 10}`)
  deleteOnAll(members, keys)
  await running(removal, async () => {
    await pass(GRACE_MS)
    let before = removal.report.stubbedCount
    for (let second = 0; second < 6; second += 1) {
      await pass(1_500)
      const { stubbedCount } = removal.report
      // A page has three keys, and takes one and a half seconds.
      assert.ok(stubbedCount - before <= 6, `${stubbedCount - before} in a second and a half`)
      before = stubbedCount
    }
    assert.ok(before > 3, `${before}`)
  })
})
