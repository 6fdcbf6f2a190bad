/** Background repair with one rule broken: the large world must notice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../node/store/digest-hash.ts'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { candidatesAt, highestAccepted } from '../../register/known-chosen.ts'
import { assertNoticed } from '../notice.ts'
import { PROTOCOL, type Protocol } from '../protocol.ts'
import { runLarge } from './world.ts'

const MUTATIONS: readonly Readonly<{
  name: string
  protocol: Partial<Protocol>
  noticedAs: RegExp
  /** The sizes of cluster in which to look. */
  nodeCounts?: readonly number[]
  /**
   * A seed that has shown it. The others would only cost every run of the tests some seconds.
   */
  seed: number
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
    seed: 8,
    seedsMax: 100,
  },
  {
    name: 'repair leaves alone what nobody knows to be chosen',
    protocol: { doesRepairSettle: false },
    noticedAs: /nodes become identical/,
    nodeCounts: [7],
    seed: 8,
    seedsMax: 600,
  },
  {
    name: 'digests do not tell apart two writes at one ballot',
    protocol: { digestOf: (key, record) => digestOf(key, { ...record, state: EMPTY_RECORD.state }) },
    noticedAs: /nodes become identical/,
    // Of 4, one may keep a vote that lost.
    nodeCounts: [4],
    seed: 232,
    seedsMax: 700,
  },
  {
    name: 'digests do not tell apart two ballots of one write',
    protocol: {
      digestOf: (key, { accepted, ...record }) =>
        digestOf(key, { ...record, accepted: accepted && ONE_BALLOT }),
    },
    noticedAs: /nodes become identical/,
    seed: 10,
    seedsMax: 200,
  },
]

const ONE_BALLOT = { round: 1, proposerId: 0 }

for (const { name, protocol, noticedAs, nodeCounts, ...suspects } of MUTATIONS) {
  test(`the checkers notice when ${name}`, async (t) => {
    const options = { disksSpoil: false, ...(nodeCounts && { nodeCounts }) }
    const failureOf = async (seed: number) =>
      (await runLarge(seed, { ...PROTOCOL, ...protocol }, options)).failure
    assert.match((await assertNoticed(t, suspects, failureOf)).message, noticedAs)
  })
}
