import type { Answer, KeyRecord, Request } from '../register/messages.ts'

/** One node of a membership. `address` is host:port. */
export type Member = Readonly<{ nodeId: string; address: string }>

/** Which nodes make a cluster. `epoch` counts its changes, from 1. */
export type Membership = Readonly<{
  clusterId: string
  epoch: number
  /** Those that decide; in a joint epoch those that will, alone, in the next one. */
  members: readonly Member[]
  /**
   * Set in a joint epoch: the members before the change, of whom every quorum still needs its share
   * (protocol.md §7).
   */
  outgoing?: readonly Member[]
  /**
   * How long each step of removing a tombstone waits, in milliseconds (protocol.md §6). It belongs to the
   * cluster and not to a connector: one that waits less than the views of another live would lose what that
   * one writes.
   */
  tombstoneGraceMs: number
}>

/**
 * Whom a request is for: a node, in an epoch of a cluster. `''` and epoch 0: one that has no membership yet.
 */
export type Recipient = Readonly<{ clusterId: string; epoch: number; nodeId: string }>

/** A request about one key. Keys start with a namespace: `group/` or `cluster/`. */
export type KeyedRequest = Readonly<{ key: string; request: Request }>

/** What travels from a connector to a node (`proto/cohort/v1/node.proto` says what each field means). */
export type RequestBatch = Readonly<{
  batchId: number
  /** `''` with epoch 0: for a node that has no membership yet. */
  clusterId: string
  epoch: number
  nodeId: string
  /** When it was sent, in whole milliseconds of some clock of the sender's that never goes back. */
  sentMs: number
  /**
   * A node does not act on it when it has taken so much longer than others of its stream; 0: however long it
   * took.
   */
  lifeMs: number
  /** In the first batch of a stream, where there is one: the chosen membership, for a node to adopt. */
  membership: Membership | undefined
  requests: readonly KeyedRequest[]
}>

/** The node did not act on the batch: it is not the node, or not in the epoch, that the batch is for. */
export type Mismatch = Readonly<{ nodeId: string; membership: Membership | undefined }>

/** What travels back: an answer for each request but the marks, in the order of the requests. */
export type AnswerBatch = Readonly<{
  batchId: number
  answers: readonly Answer[]
  mismatch: Mismatch | undefined
}>

/**
 * An `AnswerBatch` as it is read. `undefined`: the answer counts for nothing, because its record has numbers
 * that no node takes (protocol.md §4.7).
 */
export type ReceivedAnswers = Omit<AnswerBatch, 'answers'> &
  Readonly<{ answers: readonly (Answer | undefined)[] }>

/** Who a node is and what it holds. `membership` is `undefined` while the node is new. */
export type Description = Readonly<{
  nodeId: string
  membership: Membership | undefined
  version: string
  /** The value that it has accepted in the register of the membership. Not set: it has accepted none. */
  membershipVote?: Uint8Array
}> &
  Counts

/** What a node holds, in records. */
export type Counts = Readonly<{
  /** All of them. */
  recordCount: number
  /** Those without a value that have accepted that: deleted groups, and absences that were chosen. */
  tombstoneCount: number
  /** What is left of tombstones whose removal has begun. */
  stubCount: number
}>

/**
 * A key range: `start` inclusive, `end` exclusive (`''`: to the last key). Keys are ordered by their UTF-8
 * bytes.
 */
export type ScanRange = Readonly<{
  start: string
  end: string
  omitValues: boolean
  /** Only records without a value: tombstones, stubs, and what was only ever prepared. */
  removableOnly?: boolean | undefined
  /** Only keys of these leaves of the digest (0 to 65,535); `undefined`: of all. */
  leaves?: ReadonlySet<number> | undefined
  /** At most so many records, from 1; `undefined`: all. A node that does not know this field sends all. */
  limit?: number | undefined
  /**
   * Whom it is for: anybody else refuses it, also when that changes while the scan runs. `undefined`: whoever
   * answers.
   */
  recipient?: Recipient | undefined
}>

/** How keys are spread for digests: over so many leaves, of which so many consecutive ones make a branch. */
export const LEAF_COUNT = 65_536
export const BRANCH_COUNT = 256
export const LEAVES_PER_BRANCH = LEAF_COUNT / BRANCH_COUNT

/**
 * Asks a node, in an epoch of a cluster, for the digests of the leaves of some branches (0 to 255), in that
 * order; for those of all branches when it names none (`proto/cohort/v1/node.proto` says what they are sums
 * of).
 */
export type DigestRequest = Recipient & Readonly<{ branches: readonly number[] }>

export type DigestAnswer = Readonly<{ digests: readonly number[]; mismatch: Mismatch | undefined }>

export type ScanEntry = Readonly<{ key: string; record: KeyRecord }>
