/** Background repair with one rule broken: the large world must notice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../node/store/digest-hash.ts'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { candidatesAt, highestAccepted } from '../../register/known-chosen.ts'
import { PROTOCOL, type Protocol } from '../protocol.ts'
import { runLarge } from './world.ts'

const MUTATIONS: readonly Readonly<{
  name: string
  protocol: Partial<Protocol>
  noticedAs: RegExp
  /** The sizes of cluster in which to look. */
  nodeCounts?: readonly number[]
  /**
   * The first seed that has shown it. The seeds before would only cost every run of the tests some seconds.
   */
  firstSeed: number
  seedsMax: number
}>[] = [
  {
    name: 'repair passes on a state that nobody knows to be chosen',
    protocol: {
      knownToRepair(records) {
        const ballot = highestAccepted(records)
        if (ballot === undefined) return { state: EMPTY_RECORD.state, ballot }
        return { state: candidatesAt(records, ballot)[0]!.state, ballot }
      },
    },
    noticedAs: /only what is chosen is learned/,
    firstSeed: 8,
    seedsMax: 100,
  },
  {
    name: 'repair leaves alone what nobody knows to be chosen',
    protocol: { doesRepairSettle: false },
    noticedAs: /nodes become identical/,
    nodeCounts: [7],
    firstSeed: 5,
    seedsMax: 600,
  },
  {
    name: 'digests do not tell apart two writes at one ballot',
    protocol: { digestOf: (key, record) => digestOf(key, { ...record, state: EMPTY_RECORD.state }) },
    noticedAs: /nodes become identical/,
    // Of 4, one may keep a vote that lost.
    nodeCounts: [4],
    firstSeed: 599,
    seedsMax: 700,
  },
  {
    name: 'digests do not tell apart two ballots of one write',
    protocol: {
      digestOf: (key, { accepted, ...record }) =>
        digestOf(key, { ...record, accepted: accepted && ONE_BALLOT }),
    },
    noticedAs: /nodes become identical/,
    firstSeed: 10,
    seedsMax: 200,
  },
]

const ONE_BALLOT = { round: 1, proposerId: 0 }

for (const { name, protocol, noticedAs, nodeCounts, firstSeed, seedsMax } of MUTATIONS) {
  test(`the checkers notice when ${name}`, async (t) => {
    for (let seed = firstSeed; seed < firstSeed + seedsMax; seed += 1) {
      const { failure } = await runLarge(
        seed,
        { ...PROTOCOL, ...protocol },
        { disksSpoil: false, ...(nodeCounts && { nodeCounts }) },
      )
      if (failure === undefined) continue
      t.diagnostic(`seed ${seed}: ${failure.message}`)
      assert.match(failure.message, noticedAs)
      return
    }
    assert.fail(`not noticed in ${seedsMax} seeds`)
  })
}
