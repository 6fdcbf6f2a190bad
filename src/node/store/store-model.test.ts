/** The store against a map: any changes, marks, steps of the index, restarts and crashes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD, onMark } from '../../register/acceptor.ts'
import type { KeyRecord } from '../../register/messages.ts'
import type { ScanEntry } from '../../rpc/messages.ts'
import { anyBallot, anyRecord } from '../../testing/message-arbitraries.ts'
import {
  aDatabasePath,
  asLoaded,
  aWrittenRecord,
  copyDatabase,
  scanAll,
} from '../../testing/store-fixture.ts'
import { digestOf, leafOf } from './digest-hash.ts'
import { Inventory, NOTHING, weightOf } from './inventory.ts'
import { SqliteStore } from './sqlite-store.ts'

/** In the order of their UTF-8 bytes, which is not that of their UTF-16 units. */
const NAMES = ['', 'a', 'a ', 'aa', 'b', '\ud7ff', '\ue000', '\u{10000}']
const KEYS = ['cluster/', 'group/', 'group/\u{10001}'].flatMap((prefix) => NAMES.map((name) => prefix + name))

/** So small that sweeps begin, are interrupted and end within a few changes. */
const LIMITS = { sweepAt: 8, keysPerStep: 1 }

const anyStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('save' as const),
      // Several in one transaction.
      entries: fc.array(fc.tuple(fc.constantFrom(...KEYS), fc.oneof(anyRecord, fc.constant(EMPTY_RECORD))), {
        maxLength: 3,
      }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      key: fc.constantFrom(...KEYS),
      record: anyRecord,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('mark' as const),
      key: fc.constantFrom(...KEYS),
      ballot: fc.option(anyBallot, { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush' as const), isIdle: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('roll back' as const), record: anyRecord }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'crash' as const) }) },
)

type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

/** A store, and what it must hold. Marks may be lost by a restart, and nothing else. */
class Checked {
  readonly #t: TestContext
  readonly #records = new Map<string, KeyRecord>()
  #path: string
  #store: SqliteStore

  constructor(t: TestContext) {
    this.#t = t
    this.#path = aDatabasePath(t)
    this.#store = new SqliteStore(this.#path, { limits: LIMITS })
  }

  run(step: Step): void {
    const store = this.#store
    if (step.kind === 'save') {
      store.transaction(() => {
        for (const [key, record] of step.entries) {
          store.save(key, store.load(key), record)
          this.#put(key, record)
        }
      })
    } else if (step.kind === 'insert') {
      const isNew = store.transaction(() => store.insert(step.key, step.record))
      assert.equal(isNew, !this.#records.has(step.key))
      if (isNew) this.#put(step.key, step.record)
    } else if (step.kind === 'mark') this.#mark(step.key, step.ballot)
    else if (step.kind === 'flush') store.flush(step.isIdle)
    else if (step.kind === 'roll back') this.#rollBack(step.record)
    else this.#reopen(step.kind === 'crash')
  }

  #put(key: string, record: KeyRecord): void {
    if (record === EMPTY_RECORD) this.#records.delete(key)
    else this.#records.set(key, asLoaded(record))
  }

  #mark(key: string, other: KeyRecord['promised'] | undefined): void {
    const record = this.#records.get(key) ?? EMPTY_RECORD
    const ballot = other ?? record.accepted
    if (ballot === undefined) return
    const mark = { kind: 'mark', ballot, writeId: record.state.writeId } as const
    this.#store.mark(key, mark)
    this.#put(key, onMark(record, mark).record)
    // The mark of another ballot takes the place of one that waits.
    if (other !== undefined) this.#forgetLostMarks()
  }

  #rollBack(record: KeyRecord): void {
    const mistake = new Error('a mistake')
    const attempt = (): void =>
      this.#store.transaction(() => {
        for (const key of KEYS) this.#store.save(key, this.#store.load(key), record)
        throw mistake
      })
    assert.throws(attempt, (error) => error === mistake)
    this.#forgetLostMarks()
  }

  #reopen(isCrash: boolean): void {
    const { nodeId } = this.#store
    if (isCrash) this.#path = copyDatabase(this.#t, this.#path)
    this.#store.close()
    this.#store = new SqliteStore(this.#path, { limits: LIMITS })
    assert.equal(this.#store.nodeId, nodeId)
    this.#forgetLostMarks()
  }

  /** A record that is no longer marked must be one that was marked, and must be the same otherwise. */
  #forgetLostMarks(): void {
    for (const [key, record] of this.#records) {
      const { chosen } = this.#store.load(key)
      assert.ok(record.chosen || !chosen, 'nothing is marked by what loses marks')
      this.#records.set(key, { ...record, chosen })
    }
  }

  check(limit: number): void {
    const store = this.#store
    for (const key of KEYS) assert.deepEqual(store.load(key), this.#records.get(key) ?? EMPTY_RECORD, key)
    const expected = KEYS.filter((key) => this.#records.has(key)).map((key) => ({
      key,
      record: this.#records.get(key)!,
    }))
    assert.deepEqual(scanAll(store, limit), expected)
    const withoutValues = ({ key, record }: ScanEntry) => ({
      key,
      record: { ...record, state: { ...record.state, value: undefined } },
    })
    assert.deepEqual(scanAll(store, limit, { omitValues: true }), expected.map(withoutValues))
    const removable = expected.filter(({ record }) => record.state.value === undefined)
    assert.deepEqual(scanAll(store, limit, { removableOnly: true }), removable)
    const leaves = new Set([leafOf(KEYS[1]!), leafOf(KEYS[6]!)])
    const ofLeaves = expected.filter(({ key }) => leaves.has(leafOf(key)))
    assert.deepEqual(scanAll(store, limit, { leaves }), ofLeaves)
    const [start, end] = [KEYS[3]!, KEYS[20]!]
    assert.deepEqual(
      scanAll(store, limit, { start, end }),
      expected.filter(({ key }) => KEYS.indexOf(key) >= 3 && KEYS.indexOf(key) < 20),
    )
    const inventory = new Inventory()
    for (const { key, record } of expected)
      inventory.replace(leafOf(key), NOTHING, weightOf(record, digestOf(key, record)))
    assert.deepEqual(store.inventory.counts, inventory.counts)
    assert.deepEqual(store.inventory.digests.branches, inventory.digests.branches)
  }

  close(): void {
    this.#store.close()
  }
}

/** Marks of two ballots of one record, of which only the older one is about it. */
const MARKED = aWrittenRecord(1, new Uint8Array([1]))
const LOST_MARK: Step[] = [
  { kind: 'insert', key: KEYS[0]!, record: MARKED },
  { kind: 'flush', isIdle: true },
  { kind: 'mark', key: KEYS[0]!, ballot: undefined },
  { kind: 'mark', key: KEYS[0]!, ballot: { ...MARKED.accepted!, round: MARKED.accepted!.round + 1 } },
]

test('whatever is saved, marked, indexed, rolled back and interrupted, the store holds what was committed', (t) => {
  fc.assert(
    fc.property(
      fc.array(anyStep, { minLength: 20, maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (steps, limit) => {
        const checked = new Checked(t)
        try {
          for (const step of steps) {
            checked.run(step)
            checked.check(limit)
          }
        } finally {
          checked.close()
        }
      },
    ),
    {
      numRuns: 50,
      examples: [[LOST_MARK, 1]],
    },
  )
})
