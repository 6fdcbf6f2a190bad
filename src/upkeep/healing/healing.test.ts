import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Holding } from '../../register/messages.ts'
import type { PendingRequest } from '../../replication/links/pending-request.ts'
import type { HeldEntry, ScanRange } from '../../rpc/messages.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { HEALING_LIMITS, Healing, type HealingMember, type HealingTarget } from './healing.ts'

const DAMAGE = { promiseBound: 5 }

class Member {
  readonly recipient
  readonly holdings: Map<string, Holding>
  isReachable = true
  readonly link: HealingMember['link']

  constructor(nodeId: string, holdings: Record<string, Holding>) {
    this.recipient = { clusterId: 'c', epoch: 1, nodeId }
    this.holdings = new Map(Object.entries(holdings))
    const isReachable = () => this.isReachable
    this.link = {
      get isReachable() {
        return isReachable()
      },
      send: (pending) => this.#send(pending),
    }
  }

  get transport(): HealingMember['transport'] {
    return this
  }

  async *scan({ damagedOnly, limit }: ScanRange): AsyncGenerator<readonly HeldEntry[]> {
    assert.ok(damagedOnly && limit === HEALING_LIMITS.listMax)
    yield [...this.holdings].map(([key, record]) => ({ key, record }))
  }

  #send({ key, onAnswer, isBackground }: PendingRequest): boolean {
    if (!this.isReachable) return false
    assert.ok(isBackground, 'no client waits for it')
    const holding = this.holdings.get(key) ?? EMPTY_RECORD
    onAnswer('promiseBound' in holding ? holding : { ok: true, record: holding })
    return true
  }
}

/** Each round heals the key on all members that are reachable, from the given round on. */
function aHealing(members: readonly Member[], { healsAt = 1, isDecided = true } = {}) {
  const clock = new ManualClock()
  const settled: string[] = []
  const target: HealingTarget = {
    members,
    client: {
      settle: async (key) => {
        settled.push(key)
        if (!isDecided) return { kind: 'not_applied' }
        if (settled.filter((other) => other === key).length >= healsAt)
          for (const { holdings } of members) holdings.set(key, EMPTY_RECORD)
        return { kind: 'decided', result: undefined }
      },
    },
  }
  const healing = new Healing({
    target: () => target,
    clock,
    random: () => 0.5,
    limits: HEALING_LIMITS,
    logger: { info: () => {}, debug: () => {} },
  })
  const running = healing.run()
  return {
    healing,
    settled,
    turn: async () => {
      for (let i = 0; i < 50; i += 1) await nextTurn()
      clock.advance(HEALING_LIMITS.intervalMs)
      for (let i = 0; i < 50; i += 1) await nextTurn()
    },
    end: async () => {
      healing.close()
      await running
      assert.equal(clock.taskCount, 0, 'no timer is left')
    },
  }
}

test('what nodes list as damaged is settled until no node says so any more', async () => {
  const members = [
    new Member('n1', { k: DAMAGE, whole: EMPTY_RECORD }),
    new Member('n2', {}),
    new Member('n3', {}),
  ]
  const { healing, settled, turn, end } = aHealing(members, { healsAt: 2 })
  await turn()
  assert.deepEqual(settled, ['k', 'k'])
  assert.deepEqual(healing.report, { healedCount: 1, waitingCount: 0 })
  await turn()
  assert.equal(settled.length, 2, 'and then no more')
  await end()
})

test('what a read has come upon is healed, and nothing is settled where no record is damaged', async () => {
  const members = [new Member('n1', {}), new Member('n2', {})]
  const { healing, settled, turn, end } = aHealing(members)
  healing.note('k')
  await turn()
  assert.deepEqual(settled, [])
  assert.deepEqual(healing.report, { healedCount: 0, waitingCount: 0 })
  await end()
})

test('a key waits while no round is decided, and is tried again', async () => {
  const members = [new Member('n1', { k: DAMAGE }), new Member('n2', { k: DAMAGE })]
  const { healing, settled, turn, end } = aHealing(members, { isDecided: false })
  await turn()
  assert.deepEqual(healing.report, { healedCount: 0, waitingCount: 1 })
  const before = settled.length
  await turn()
  assert.ok(settled.length > before)
  await end()
})

test('a node that is not reached is not waited for', async () => {
  const away = new Member('n1', { k: DAMAGE })
  away.isReachable = false
  const { healing, settled, turn, end } = aHealing([away, new Member('n2', {})])
  await turn()
  assert.deepEqual([settled, healing.report.waitingCount], [[], 0])
  away.isReachable = true
  await turn()
  assert.deepEqual(settled, ['k'])
  await end()
})

/** A healing of keys whose rounds end when the test says so. */
function aSlowHealing(keyCount: number) {
  const clock = new ManualClock()
  const holdings = Array.from({ length: keyCount }, (_, number) => [`k${number}`, DAMAGE])
  const members = [new Member('n1', Object.fromEntries(holdings))]
  const rounds: (() => void)[] = []
  let target: HealingTarget | undefined = {
    members,
    client: {
      settle: (key) =>
        new Promise((resolve) => {
          rounds.push(() => {
            members[0]!.holdings.set(key, EMPTY_RECORD)
            resolve({ kind: 'decided', result: undefined })
          })
        }),
    },
  }
  const healing = new Healing({
    target: () => target,
    clock,
    random: () => 0.5,
    limits: HEALING_LIMITS,
    logger: { info: () => {}, debug: () => {} },
  })
  const turns = async () => {
    for (let i = 0; i < 50; i += 1) await nextTurn()
  }
  const lose = () => {
    target = undefined
  }
  return { healing, clock, rounds, turns, lose }
}

test('a bounded number of keys is healed at once, and then the nodes rest for as long', async () => {
  const { healing, clock, rounds, turns } = aSlowHealing(40)
  const running = healing.run()
  await turns()
  assert.equal(rounds.length, 32)
  clock.advance(10_000)
  for (const end of rounds) end()
  await turns()
  assert.equal(rounds.length, 40, 'the others follow')
  for (const end of rounds) end()
  await turns()
  assert.deepEqual(healing.report, { healedCount: 40, waitingCount: 0 })
  healing.note('k0')
  clock.advance(9_999)
  await turns()
  assert.equal(healing.report.waitingCount, 1, 'it rests')
  clock.advance(1)
  await turns()
  assert.equal(healing.report.waitingCount, 0)
  healing.close()
  await running
  assert.equal(clock.taskCount, 0)
})

test('a healing that is closed begins no further key', async () => {
  const { healing, rounds, turns } = aSlowHealing(40)
  const running = healing.run()
  await turns()
  healing.close()
  for (const end of rounds) end()
  await running
  assert.equal(rounds.length, 32)
})

test('a bounded number of keys waits to be healed', async () => {
  const { healing, lose } = aSlowHealing(0)
  lose()
  for (let number = 0; number < 20_000; number += 1) healing.note(`k${number}`)
  assert.equal(healing.report.waitingCount, 10_000)
})
