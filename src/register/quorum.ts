import assert from 'node:assert/strict'

/** Quorum sizes of one membership, in nodes. */
export type Quorums = Readonly<{
  /** Number of members. */
  n: number
  /** Enough for a classic ballot, to prepare or to accept. Any two meet. */
  classic: number
  /** Enough for a fast ballot. Any two, and any classic quorum, meet in a node (Fast Paxos §2.2, assumption). */
  fast: number
}>

/** floor(N/2) + 1. */
export function classicQuorum(n: number): number {
  return Math.floor(n / 2) + 1
}

/** ceil(3N/4): 3 of 3, 3 of 4, 4 of 5, 6 of 7. */
export function fastQuorum(n: number): number {
  return Math.ceil((3 * n) / 4)
}

/** The quorums of a membership of `n` nodes, 1 to 7. */
export function quorumsOf(n: number): Quorums {
  assert.ok(Number.isInteger(n) && n >= 1 && n <= 7, `a membership has 1 to 7 nodes, got ${n}`)
  const quorums = { n, classic: classicQuorum(n), fast: fastQuorum(n) }
  assert.ok(2 * quorums.classic > n, 'two classic quorums must meet')
  assert.ok(2 * quorums.fast + quorums.classic > 2 * n, 'two fast quorums and a classic one must meet')
  return quorums
}

/**
 * A birth needs every node: a membership must not be chosen by some of the nodes it names while the others are
 * still free to be named by another (protocol.md §7).
 */
export function unanimousQuorums(n: number): Quorums {
  return { n, classic: n, fast: n }
}
