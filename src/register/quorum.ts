import assert from 'node:assert/strict'
import { type Ballot, isFastBallot } from './ballot.ts'

/** A set of nodes. Bit i is the node at index i of the nodes of a round. */
export type NodeSet = number

/** One set of members, and how many of them make a quorum. */
export type Configuration = Readonly<{
  members: NodeSet
  /** Number of members. */
  n: number
  /** Enough for a classic ballot, to prepare or to accept. Any two meet. */
  classic: number
  /**
   * Enough for a fast ballot. Any two, and any classic quorum, meet in a node (Fast Paxos §2.2, assumption).
   */
  fast: number
}>

/** Which nodes decide in one epoch (protocol.md §7). */
export type Quorums = Readonly<{
  /** Number of nodes to which rounds are sent: the members; in a joint epoch those of both configurations. */
  n: number
  /**
   * The nodes whose votes count at fast ballots: the members; in a joint epoch the old members, because only
   * they have such votes.
   */
  current: Configuration
  /**
   * Set in a joint epoch: the next configuration. Every classic quorum must then contain a quorum of both
   * configurations, and no fast ballot is proposed.
   */
  incoming: Configuration | undefined
}>

/** A configuration has up to 7 members. A joint epoch has two configurations. */
const CONFIGURATION_MAX = 7

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
  assert.ok(
    Number.isInteger(n) && n >= 1 && n <= CONFIGURATION_MAX,
    `a membership has 1 to 7 nodes, got ${n}`,
  )
  return { n, current: configurationOf(firstNodes(n)), incoming: undefined }
}

/**
 * The quorums of a joint epoch, in which `outgoing` hands over to `incoming`. Both together must be the first
 * n nodes.
 */
export function jointQuorums(outgoing: NodeSet, incoming: NodeSet): Quorums {
  const n = countNodes(outgoing | incoming)
  assert.equal(
    outgoing | incoming,
    firstNodes(n),
    'every node of a joint epoch is in one of its configurations',
  )
  return { n, current: configurationOf(outgoing), incoming: configurationOf(incoming) }
}

/**
 * The quorums of a birth, which needs every node. Otherwise some of the nodes could choose a membership while
 * the other nodes choose another one (protocol.md §7).
 */
export function unanimousQuorums(n: number): Quorums {
  return { n, current: { members: firstNodes(n), n, classic: n, fast: n }, incoming: undefined }
}

/** Whether `nodes` are enough to prepare, or to accept at a classic ballot. */
export function isClassicQuorum(nodes: NodeSet, { current, incoming }: Quorums): boolean {
  if (countNodes(nodes & current.members) < current.classic) return false
  return incoming === undefined || countNodes(nodes & incoming.members) >= incoming.classic
}

/** Whether a state that all of `nodes` have accepted at `ballot` is chosen (protocol.md §1). */
export function isQuorum(nodes: NodeSet, ballot: Ballot, quorums: Quorums): boolean {
  if (!isFastBallot(ballot)) return isClassicQuorum(nodes, quorums)
  return countNodes(nodes & quorums.current.members) >= quorums.current.fast
}

/** Whether fast ballots may be proposed at all. */
export function allowsFastBallots({ incoming }: Quorums): boolean {
  return incoming === undefined
}

/** The set of the first `n` nodes. */
export function firstNodes(n: number): NodeSet {
  return (1 << n) - 1
}

/** The number of nodes in a set. */
export function countNodes(nodes: NodeSet): number {
  let count = 0
  for (let rest = nodes; rest !== 0; rest &= rest - 1) count += 1
  return count
}

function configurationOf(members: NodeSet): Configuration {
  const n = countNodes(members)
  assert.ok(n >= 1 && n <= CONFIGURATION_MAX, `a configuration has 1 to 7 members, got ${n}`)
  const configuration = { members, n, classic: classicQuorum(n), fast: fastQuorum(n) }
  assert.ok(2 * configuration.classic > n, 'two classic quorums must meet')
  assert.ok(
    2 * configuration.fast + configuration.classic > 2 * n,
    'two fast quorums and a classic one must meet',
  )
  return configuration
}
