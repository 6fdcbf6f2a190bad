import type { Holding, KeyRecord, Reply, Request } from '../register/messages.ts'

/** One node of a membership. `address` is host:port. */
export type Member = Readonly<{ nodeId: string; address: string }>

/** Which nodes make a cluster. `epoch` counts its changes, from 1. */
export type Membership = Readonly<{
  clusterId: string
  epoch: number
  /** The nodes that decide. In a joint epoch: the nodes that will decide alone in the next epoch. */
  members: readonly Member[]
  /**
   * Set in a joint epoch: the members before the change. Every round then needs a quorum of them too
   * (protocol.md §7).
   */
  outgoing?: readonly Member[]
  /**
   * The wait before each step of removing a tombstone, in milliseconds (protocol.md §6). It belongs to the
   * cluster and not to a connector: if one connector waited for less time than the views of another live,
   * writes of the other would be lost.
   */
  tombstoneGraceMs: number
  /**
   * 16 hexadecimal digits that were drawn at the birth. They key the hash that spreads keys over the leaves
   * of the digests (protocol.md §5). A cluster that was born without them has none.
   */
  hashSecret?: string
}>

/**
 * The recipient of a request: a node, in an epoch of a cluster. A node without a membership is in epoch 0 of
 * the cluster `''`.
 */
export type Recipient = Readonly<{ clusterId: string; epoch: number; nodeId: string }>

/** A request about one key. Keys start with a namespace: `group/` or `cluster/`. */
export type KeyedRequest = Readonly<{ key: string; request: Request }>

/** A batch from a connector to a node (`proto/cohort/v1/node.proto` says what each field means). */
export type RequestBatch = Readonly<{
  batchId: number
  /** `''` with epoch 0: for a node that has no membership yet. */
  clusterId: string
  epoch: number
  nodeId: string
  /** When it was sent, in whole milliseconds of a clock of the sender that never goes back. */
  sentMs: number
  /**
   * A node does not act on the batch if it took this much longer to arrive than others of its stream. 0:
   * there is no limit.
   */
  lifeMs: number
  /** The chosen membership, for the node to adopt. Only in the first batch of a stream. */
  membership: Membership | undefined
  requests: readonly KeyedRequest[]
}>

/** The node did not act on the batch, because the batch is for another node or another epoch. */
export type Mismatch = Readonly<{ nodeId: string; membership: Membership | undefined }>

/** A batch of answers: one for each request but the marks, in the order of the requests. */
export type AnswerBatch = Readonly<{
  batchId: number
  answers: readonly Reply[]
  mismatch: Mismatch | undefined
}>

/**
 * An `AnswerBatch` as it is read. `undefined`: the answer cannot be used, because its record has numbers that
 * no node takes (protocol.md §4.7).
 */
export type ReceivedAnswers = Omit<AnswerBatch, 'answers'> &
  Readonly<{ answers: readonly (Reply | undefined)[] }>

/** The id of a node, and what it holds. `membership` is `undefined` while the node is new. */
export type Description = Readonly<{
  nodeId: string
  membership: Membership | undefined
  version: string
  /** The value that it has accepted in the register of the membership. Not set: it has accepted none. */
  membershipVote?: Uint8Array
}> &
  Counts &
  DamageCounts

/** How many records a node holds. */
export type Counts = Readonly<{
  /** All of them. */
  recordCount: number
  /** Records that have accepted a state without a value: deleted groups, and absences that were chosen. */
  tombstoneCount: number
  /** Tombstones whose removal has begun. */
  stubCount: number
}>

/** What a node knows of damaged records (protocol.md §9). */
export type DamageCounts = Readonly<{
  /** Those that are damaged now, as far as it knows. */
  damagedCount: number
  /** Those that have healed since it started. */
  healedCount: number
}>

/**
 * A key range: `start` inclusive, `end` exclusive (`''`: to the last key). Keys are ordered by their UTF-8
 * bytes.
 */
export type ScanRange = Readonly<{
  start: string
  end: string
  omitValues: boolean
  /** Only records without a value: tombstones, stubs, and records that were only prepared. */
  removableOnly?: boolean | undefined
  /** Only keys of these leaves of the digest (0 to 65,535). `undefined`: keys of all leaves. */
  leaves?: ReadonlySet<number> | undefined
  /**
   * How many records to send at most, from 1. `undefined`: all. A node that does not know this field sends
   * all.
   */
  limit?: number | undefined
  /** Only records that the node knows to be damaged. */
  damagedOnly?: boolean | undefined
  /**
   * The recipient. Any other node refuses the scan, also if the node's epoch changes while the scan runs.
   * `undefined`: any node.
   */
  recipient?: Recipient | undefined
}>

/** For digests, keys are spread over this many leaves. Consecutive leaves make a branch. */
export const LEAF_COUNT = 65_536
export const BRANCH_COUNT = 256
export const LEAVES_PER_BRANCH = LEAF_COUNT / BRANCH_COUNT

/**
 * Asks a node, in an epoch of a cluster, for the digests of the leaves of these branches (0 to 255), in that
 * order. Without branches, it asks for the digests of all branches (`proto/cohort/v1/node.proto` says what
 * they are sums of).
 */
export type DigestRequest = Recipient & Readonly<{ branches: readonly number[] }>

export type DigestAnswer = Readonly<{ digests: readonly number[]; mismatch: Mismatch | undefined }>

/** How far a node has been followed: its life, and the number of its last change that is known. */
export type ChangesPosition = Readonly<{ life: string; number: number }>

/**
 * Asks a node what it has changed after a position. `undefined`: where to begin. The node may wait for so
 * long before it answers that there is nothing.
 */
export type ChangesRequest = Recipient & Readonly<{ from: ChangesPosition | undefined; waitMs: number }>

/** What a node has changed (`proto/cohort/v1/node.proto` says what each field means). */
export type ChangesAnswer = Readonly<{
  /** The position after these keys. Not set: the request was meant for another node or another epoch. */
  at: ChangesPosition | undefined
  keys: readonly string[]
  /** The keys are those to begin with, and not what follows the position that was asked for. */
  begins: boolean
  isTooEarly: boolean
  /** The node had changed more when it answered. */
  hasMore: boolean
  mismatch: Mismatch | undefined
}>

/** A key and its record. */
export type ScanEntry = Readonly<{ key: string; record: KeyRecord }>

/** A key and what a node holds for it. */
export type HeldEntry = Readonly<{ key: string; record: Holding }>
