/**
 * How far the writes of all nodes are known (protocol.md §10). There is no clock: the moments are the numbers
 * of what this process did and received, in its order.
 *
 * A node is followed during an *interval*. It begins when the node's first answer arrives, and reaches to the
 * moment at which the latest call was made that the node has answered: the answer tells everything that the
 * node had changed before. A moment is covered if it is in the intervals of so many nodes that every quorum
 * has one of them.
 */

import { countNodes, type NodeSet, type Quorums } from '../register/quorum.ts'
import type { ChangesPosition } from '../rpc/messages.ts'

/** A moment of this process: its place in the order of what happened, and its time. */
export type Moment = Readonly<{ order: number; ms: number }>

/** The nodes of an epoch, and its quorums. The quorums name nodes by their index here. */
export type FollowedEpoch = Readonly<{ epoch: number; nodeIds: readonly string[]; quorums: Quorums }>

/** Whether every classic quorum, and so every fast one, has one of these nodes. */
export function meetsEveryQuorum(nodes: NodeSet, { current, incoming }: Quorums): boolean {
  return [current, incoming].every(
    (side) => side === undefined || countNodes(nodes & side.members) > side.n - side.classic,
  )
}

type Interval = Readonly<{ since: Moment; told: Moment }>

type FollowedNode = {
  /** Where to go on. `undefined`: the node must be asked where to begin. */
  at: ChangesPosition | undefined
  /** The interval that goes on, if there is one. */
  interval: Interval | undefined
  /** The interval before it, which has ended. */
  ended: Interval | undefined
  /** Whether the node has answered in this epoch. Only such answers show that the epoch goes on. */
  hasAnswered: boolean
}

export class Coverage {
  #epoch: FollowedEpoch
  #nodes = new Map<string, FollowedNode>()
  /** All writes that were chosen before this moment are known. `undefined`: nothing is covered. */
  #reached: Moment | undefined
  /** Whether `#reached` was computed in this epoch. */
  #isEstablished = false

  constructor(epoch: FollowedEpoch) {
    this.#epoch = epoch
    for (const nodeId of epoch.nodeIds) this.#nodes.set(nodeId, newNode())
  }

  get epoch(): FollowedEpoch {
    return this.#epoch
  }

  get reached(): Moment | undefined {
    return this.#reached
  }

  /** Where to go on with a node; `undefined`: ask it where to begin. */
  positionOf(nodeId: string): ChangesPosition | undefined {
    return this.#nodes.get(nodeId)?.at
  }

  /**
   * Goes on in another epoch, with the same positions.
   *
   * @returns whether the coverage goes on. It does so only from one epoch to the next, and only if it has
   *   reached a moment in the one before: else a write of an epoch between them could be missed.
   */
  enter(epoch: FollowedEpoch): boolean {
    const goesOn = epoch.epoch === this.#epoch.epoch + 1 && this.#isEstablished
    this.#epoch = epoch
    this.#isEstablished = false
    const before = this.#nodes
    this.#nodes = new Map()
    for (const nodeId of epoch.nodeIds) {
      const node = before.get(nodeId) ?? newNode()
      this.#nodes.set(nodeId, { ...node, ended: undefined, hasAnswered: false })
    }
    return goesOn || this.#reached === undefined
  }

  /** A node has said where to begin. */
  began(nodeId: string, at: ChangesPosition, now: Moment): void {
    const node = this.#nodes.get(nodeId)
    if (node === undefined) return
    this.#end(node)
    node.at = at
    node.interval = { since: now, told: now }
    node.hasAnswered = true
    this.#advance(now)
  }

  /** A node has answered a call that was made at a moment, with all that it had changed until then. */
  told(nodeId: string, at: ChangesPosition, calledAt: Moment, now: Moment): void {
    const node = this.#nodes.get(nodeId)
    if (node?.interval === undefined) return
    node.at = at
    node.interval = { since: node.interval.since, told: calledAt }
    node.hasAnswered = true
    this.#advance(now)
  }

  /** A node has more to tell than one answer has: it has not told everything before the call. */
  toldSome(nodeId: string, at: ChangesPosition): void {
    const node = this.#nodes.get(nodeId)
    if (node?.interval !== undefined) node.at = at
  }

  /** What a node told cannot be used: the interval ends, and the node is asked where to begin. */
  drop(nodeId: string): void {
    const node = this.#nodes.get(nodeId)
    if (node === undefined) return
    this.#end(node)
    node.at = undefined
  }

  /** Nothing is covered any more. All nodes are asked where to begin. */
  lose(): void {
    this.#reached = undefined
    this.#isEstablished = false
    for (const [nodeId] of this.#nodes) this.#nodes.set(nodeId, newNode())
  }

  /** The positions from which everything after the moment that was reached can be told. */
  positions(): Map<string, ChangesPosition> {
    const positions = new Map<string, ChangesPosition>()
    const { order } = this.#reached ?? { order: -1 }
    for (const [nodeId, { at, interval }] of this.#nodes) {
      if (at !== undefined && interval !== undefined && interval.since.order <= order)
        positions.set(nodeId, at)
    }
    return positions
  }

  #end(node: FollowedNode): void {
    // One that begins after the moment that was reached is of no more use than the one before it.
    if (node.interval !== undefined && node.interval.since.order <= (this.#reached?.order ?? -1))
      node.ended = node.hasAnswered ? node.interval : undefined
    node.interval = undefined
  }

  #advance(now: Moment): void {
    if (this.#reached === undefined) {
      const followed = this.#nodesWhere(({ interval, hasAnswered }) => hasAnswered && interval !== undefined)
      if (!meetsEveryQuorum(followed, this.#epoch.quorums)) return
      this.#reached = now
      this.#isEstablished = true
      return
    }
    for (let next = this.#next(this.#reached); next !== undefined; next = this.#next(next)) {
      this.#reached = next
      this.#isEstablished = true
    }
  }

  /** The latest moment up to which nodes that meet every quorum have been followed since `from`. */
  #next(from: Moment): Moment | undefined {
    const ends = [...this.#nodes.values()]
      .flatMap((node) => intervalsAt(node, from).map(({ told }) => told))
      .filter(({ order }) => order > from.order)
      .sort((a, b) => b.order - a.order)
    return ends.find(({ order }) => {
      const nodes = this.#nodesWhere((node) =>
        intervalsAt(node, from).some(({ told }) => told.order >= order),
      )
      return meetsEveryQuorum(nodes, this.#epoch.quorums)
    })
  }

  #nodesWhere(isMeant: (node: FollowedNode) => boolean): NodeSet {
    let nodes = 0
    for (const [index, nodeId] of this.#epoch.nodeIds.entries())
      if (isMeant(this.#nodes.get(nodeId)!)) nodes |= 1 << index
    return nodes
  }
}

function newNode(): FollowedNode {
  return { at: undefined, interval: undefined, ended: undefined, hasAnswered: false }
}

/** The intervals of a node that contain a moment. */
function intervalsAt({ interval, ended, hasAnswered }: FollowedNode, { order }: Moment): Interval[] {
  if (!hasAnswered) return []
  return [interval, ended].filter(
    (known): known is Interval => known !== undefined && known.since.order <= order,
  )
}
