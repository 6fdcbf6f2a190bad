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

  #send({ key, onAnswer }: PendingRequest): boolean {
    if (!this.isReachable) return false
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
