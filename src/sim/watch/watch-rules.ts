import type { Quorums } from '../../register/quorum.ts'
import { resize } from '../broken-protocol.ts'

/** The rules of following changes (protocol.md §10), of which tests replace one by a broken one. */
export type WatchRules = Readonly<{
  /** The nodes that a read must count, of those that have told a key. */
  mustCount: (nodeIds: readonly string[]) => readonly string[]
  /** Whether an answer shows everything until its call was made, or until the answer has arrived. */
  tellsUntil: 'call' | 'arrival'
  /** Whether a node tells its open votes when it is asked where to begin. */
  tellsOpenVotes: boolean
  /** Whether a node that has just started says that it does not know its open votes. */
  admitsStart: boolean
  /** The quorums that the nodes that are followed must meet. */
  quorums: (quorums: Quorums) => Quorums
}>

export const WATCH_RULES: WatchRules = {
  mustCount: (nodeIds) => nodeIds,
  tellsUntil: 'call',
  tellsOpenVotes: true,
  admitsStart: true,
  quorums: (quorums) => quorums,
}

/** A broken rule, as a sentence. `seed` shows it, and one from 1 to `seedsMax` must. */
export type WatchMutation = Readonly<{ name: string; rules: WatchRules; seed: number; seedsMax: number }>

export const WATCH_MUTATIONS: readonly WatchMutation[] = [
  {
    name: 'the read does not count the node that told it',
    rules: { ...WATCH_RULES, mustCount: () => [] },
    seed: 562,
    seedsMax: 1_000,
  },
  {
    name: 'the read counts only one of the nodes that told it',
    rules: { ...WATCH_RULES, mustCount: (nodeIds) => nodeIds.slice(0, 1) },
    seed: 410,
    seedsMax: 1_000,
  },
  {
    name: 'an answer counts up to its arrival, and not up to its call',
    rules: { ...WATCH_RULES, tellsUntil: 'arrival' },
    seed: 1,
    seedsMax: 500,
  },
  {
    name: 'a node does not tell its open votes',
    rules: { ...WATCH_RULES, tellsOpenVotes: false },
    seed: 29,
    seedsMax: 500,
  },
  {
    name: 'a node that has just started does not say that it does not know its open votes',
    rules: { ...WATCH_RULES, admitsStart: false },
    seed: 2_839,
    seedsMax: 5_000,
  },
  {
    name: 'one node too few is followed',
    rules: {
      ...WATCH_RULES,
      quorums: (quorums) => resize(quorums, ({ classic }) => ({ classic: classic + 1 })),
    },
    seed: 1,
    seedsMax: 500,
  },
]
