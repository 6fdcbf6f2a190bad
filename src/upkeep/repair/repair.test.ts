import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { PendingRequest } from '../../replication/links/pending-request.ts'
import type { HeldEntry, ScanRange } from '../../rpc/messages.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { aRecord, MemoryMember } from '../../testing/memory-member.ts'
import { REPAIR_LIMITS, Repair } from './repair.ts'

const SCAN_MS = 5_000
const RUN_MS = 120_000
const STEP_MS = 50
const RECORD = aRecord(1, [1])

/** A node of which every scan takes its time. */
class SlowMember extends MemoryMember {
  readonly scansAtMs: number[] = []
  readonly #clock: ManualClock
  readonly #isBroken: boolean

  constructor(clock: ManualClock, isBroken: boolean) {
    super('slow', [['group/k', RECORD]])
    this.#clock = clock
    this.#isBroken = isBroken
  }

  override async *scan(range: ScanRange): AsyncGenerator<readonly HeldEntry[]> {
    this.scansAtMs.push(this.#clock.nowMs())
    await new Promise<void>((resolve) => {
      this.#clock.after(SCAN_MS, resolve)
    })
    if (this.#isBroken) throw new Error('it was lost while it was scanned')
    yield* super.scan(range)
  }
}

/** A node that never learns. */
class DeafMember extends MemoryMember {
  override send(pending: PendingRequest): boolean {
    if (pending.request.kind !== 'learn') return super.send(pending)
    pending.onLost()
    return true
  }
}

for (const [name, isBroken] of [
  ['a key cannot be repaired', false],
  ['a scan breaks', true],
] as const) {
  test(`nodes rest for as long as they were read, also where ${name}`, async () => {
    const clock = new ManualClock()
    const slow = new SlowMember(clock, isBroken)
    const members = [slow, new MemoryMember('n2', [['group/k', RECORD]]), new DeafMember('n3')]
    const client = {
      settle: async () => ({ kind: 'unknown' as const }),
      judge: () => ({ chosen: { ballot: RECORD.accepted, state: RECORD.state } }),
    }
    const repair = new Repair({
      target: () => ({ clusterId: 'c', epoch: 1, members, client }),
      random: () => 0.5,
      clock,
      timeoutMs: () => 3_000,
      observe: () => [],
      limits: REPAIR_LIMITS,
      logger: { info: () => {}, debug: () => {} },
    })
    const ended = repair.run()
    for (let ms = 0; ms < RUN_MS; ms += STEP_MS) {
      clock.advance(STEP_MS)
      for (let turns = 0; turns < 6; turns += 1) await turn()
    }
    repair.close()
    clock.advance(SCAN_MS)
    await ended
    const { scansAtMs } = slow
    assert.ok(scansAtMs.length > 2, 'it was tried again and again')
    const share = (SCAN_MS * scansAtMs.length) / RUN_MS
    assert.ok(share < 0.6, `the nodes were read for ${share} of the time`)
  })
}

/** A node that takes its time to learn, and counts what it learns at once. */
class PatientMember extends MemoryMember {
  readonly learnedAtMs: number[] = []
  mostAtOnce = 0
  #atOnce = 0
  readonly #clock: ManualClock
  readonly #learnMs: number

  constructor(clock: ManualClock, learnMs: number) {
    super('n3')
    this.#clock = clock
    this.#learnMs = learnMs
  }

  override send(pending: PendingRequest): boolean {
    if (pending.request.kind !== 'learn') return super.send(pending)
    this.learnedAtMs.push(this.#clock.nowMs())
    this.#atOnce += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce)
    this.#clock.after(this.#learnMs, () => {
      this.#atOnce -= 1
      super.send(pending)
    })
    return true
  }
}

/** A repair of many keys, all of which one node lacks. */
function aLongRepair(limits: Partial<typeof REPAIR_LIMITS>, learnMs: number) {
  const clock = new ManualClock()
  const records = Array.from({ length: 400 }, (_, number) => [`group/k${number}`, RECORD] as const)
  const lagging = new PatientMember(clock, learnMs)
  const members = [new MemoryMember('n1', records), new MemoryMember('n2', records), lagging]
  const client = {
    settle: async () => ({ kind: 'unknown' as const }),
    judge: () => ({ chosen: { ballot: RECORD.accepted, state: RECORD.state } }),
  }
  const repair = new Repair({
    target: () => ({ clusterId: 'c', epoch: 1, members, client }),
    random: () => 0.5,
    clock,
    timeoutMs: () => 3_000,
    observe: () => [],
    limits: { ...REPAIR_LIMITS, ...limits },
    logger: { info: () => {}, debug: () => {} },
  })
  const ended = repair.run()
  const pass = async (ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += 10) {
      clock.advance(10)
      for (let turns = 0; turns < 3; turns += 1) await turn()
    }
  }
  return { clock, repair, ended, pass, lagging, members }
}

test('no more repairs begin in a second than the nodes have time for', async () => {
  const { repair, ended, pass, lagging } = aLongRepair({ keysPerSecondMax: 100 }, 1)
  await pass(2_500)
  repair.close()
  await pass(1_000)
  await ended
  const { learnedAtMs } = lagging
  assert.ok(learnedAtMs.length > 100, `${learnedAtMs.length} keys`)
  for (const startMs of learnedAtMs) {
    const count = learnedAtMs.filter((atMs) => atMs >= startMs && atMs < startMs + 1_000).length
    assert.ok(count <= 104, `${count} in the second from ${startMs} ms on`)
  }
})

test('a bounded number of keys is under repair at once, and a close leaves no scan and no timer', async () => {
  const { clock, repair, ended, pass, lagging, members } = aLongRepair({ keysInFlightMax: 4 }, 50)
  await pass(3_000)
  assert.equal(lagging.mostAtOnce, 4)
  repair.close()
  await pass(200)
  await ended
  const learnedCount = lagging.learnedAtMs.length
  await pass(200)
  assert.equal(lagging.learnedAtMs.length, learnedCount, 'nothing more begins')
  assert.ok(learnedCount < 400, 'it was in the middle of its work')
  assert.deepEqual([clock.taskCount, ...members.map(({ openScanCount }) => openScanCount)], [0, 0, 0, 0])
})
