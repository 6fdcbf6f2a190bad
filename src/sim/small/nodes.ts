import { isDamage } from '../../register/damage.ts'
import type { KeyRecord, Reply } from '../../register/messages.ts'
import { Violation } from '../checkers/violation.ts'
import type { Connectors } from './connectors.ts'
import { configurationsOf, type Epoch, formatEpoch, memberOf, nodeIdOf } from './epoch.ts'
import { inventMembership } from './inventions.ts'
import { formatKey, GROUP, type Key } from './key.ts'
import type { Parcel } from './network.ts'
import { Node } from './node.ts'
import type { Stage } from './stage.ts'

/** The checkers count nodes in the bits of a number. */
const NODES_MAX = 20

/** The nodes of a world, members or not, and what reaches them. */
export class Nodes {
  /** By number. */
  readonly list: Node[] = []
  readonly #stage: Stage
  readonly #connectors: Connectors

  constructor(stage: Stage, connectors: Connectors) {
    this.#stage = stage
    this.#connectors = connectors
  }

  /** Whether the world may have one more node. */
  get hasRoom(): boolean {
    return this.list.length < NODES_MAX
  }

  /** Starts a node, as a member or empty. */
  add(address: string, epoch: Epoch | undefined): Node {
    const node = new Node(this.list.length, address, epoch, this.#stage)
    this.list.push(node)
    return node
  }

  /** A message of a connector or a remover reaches its node. */
  arrive(parcel: Parcel): void {
    const { network, oracle, teller } = this.#stage
    const node = this.list[parcel.node]!
    if (!node.isUp) {
      teller?.lost(parcel, false)
      return network.notifyLoss(parcel)
    }
    teller?.delivered(parcel)
    if (parcel.kind === 'list') return this.#list(node, parcel)
    const answer = this.#handle(node, parcel)
    if (answer === undefined) return this.#refuse(node, parcel)
    if (parcel.request!.kind === 'mark') return
    if (!isDamage(answer)) oracle.told(node.number, parcel.key, answer.record)
    network.reply(parcel, 'answer', { answer, listing: undefined, nodeMembership: undefined })
  }

  /**
   * A message reaches its node, which crashes: after what it changed is durable, or before. No answer leaves.
   */
  crashOn(parcel: Parcel, isSaved: boolean): void {
    const { network, teller } = this.#stage
    const node = this.list[parcel.node]!
    if (!node.isUp) return this.arrive(parcel)
    teller?.delivered(parcel)
    if (isSaved) {
      this.#handle(node, parcel)
      teller?.note(`${node.nodeId} has saved what it changed`)
    }
    this.#crash(node)
    network.notifyLoss(parcel)
  }

  /** Shows a node a chosen membership. Every message does this. */
  show(node: Node, epoch: Epoch): void {
    const adoption = node.show(epoch)
    if (adoption === 'adopt') this.#stage.teller?.note(`${node.nodeId} adopts ${formatEpoch(epoch)}`)
    if (adoption === 'leave') this.#stage.teller?.note(`${node.nodeId} learns that it is no member any more`)
  }

  crash(number: number): void {
    const node = this.list[number]
    if (node?.isUp === true) this.#crash(node)
  }

  restart(number: number): void {
    const node = this.list[number]
    if (node === undefined || node.isUp || node.isLost) return
    this.#stage.teller?.note(`${node.nodeId} restarts`)
    node.isUp = true
  }

  /** The changes that a node has put off become durable. */
  save(number: number): void {
    this.list[number]?.save()
  }

  /**
   * A node loses its disk, unless too few nodes would be left for a quorum: the protocol promises nothing
   * then.
   */
  loseDisk(number: number): void {
    const node = this.list[number]
    if (node === undefined || node.isLost || !this.hasRoom || !this.#canLose(number)) return
    node.crash()
    node.isLost = true
    const newcomer = this.add(node.address, undefined)
    this.#stage.teller?.note(
      `${node.nodeId} loses its disk, and ${newcomer.nodeId} starts in its place, empty`,
    )
  }

  /** A disk damages a record, unless too few nodes with whole records would be left for a quorum. */
  damage(number: number, key: Key): void {
    const node = this.list[number]
    if (node === undefined || !this.#canSpare(number) || !node.damage(key)) return
    this.#stage.teller?.note(`the disk of ${node.nodeId} spoils its record of ${formatKey(key)}`)
  }

  /**
   * A node takes part in a membership that nobody has proposed, unless another node does, or too few nodes
   * would be left for a quorum.
   */
  invent(number: number, invention: Parameters<typeof inventMembership>[2]): void {
    const node = this.list[number]
    if (node?.epoch === undefined || node.isLost) return
    if (this.list.some(({ isWrong }) => isWrong) || !this.#canSpare(number)) return
    const membership = inventMembership(
      this.#stage.oracle.newest.membership,
      memberOf(node.nodeId),
      invention,
    )
    node.invent(membership)
    this.#stage.teller?.note(`${node.nodeId} invents epoch ${membership.epoch}`)
  }

  /** The members of the newest epoch that hold a damaged record. */
  get damaged(): readonly Node[] {
    return this.#stage.oracle.newest.nodes
      .map((number) => this.list[number]!)
      .filter(({ isDamaged, isLost }) => isDamaged && !isLost)
  }

  /** A lost disk comes back, on a machine of its own. */
  returnDisk(number: number): void {
    const node = this.list[number]
    if (node === undefined || !node.isLost) return
    this.#stage.teller?.note(`the disk of ${node.nodeId} is back`)
    node.isLost = false
  }

  /** Starts every node that has its disk, with the membership that it had. */
  heal(): void {
    for (const node of this.list) {
      node.correct()
      if (!node.isLost) node.isUp = true
    }
  }

  #canLose(lost: number): boolean {
    return this.#stage.oracle.newest.nodes.includes(lost) && this.#canSpare(lost)
  }

  /**
   * Whether there are quorums without this node and without the nodes that hold a damaged record or are wrong
   * about the members. This must hold in the newest epoch that another node has adopted, because it may be
   * the newest one that is still known, and in all epochs that may follow.
   */
  #canSpare(spared: number): boolean {
    const { oracle } = this.#stage
    const left = this.list.filter(
      ({ number, isLost, isDamaged, isWrong }) => !isLost && !isDamaged && !isWrong && number !== spared,
    )
    const adopted = Math.max(...left.map(({ epoch }) => epoch?.number ?? 0))
    return oracle
      .epochsFrom(adopted)
      .flatMap(configurationsOf)
      .every((members) => {
        const count = left.filter(({ number }) => members.includes(number)).length
        return 2 * count > members.length
      })
  }

  #crash(node: Node): void {
    this.#stage.teller?.note(`${node.nodeId} crashes`)
    node.crash()
  }

  /** `undefined`: the node does not act on it. */
  #handle(node: Node, { key, request, epoch }: Parcel): Reply | undefined {
    this.show(node, epoch)
    if (!node.isUp) return undefined
    const before = node.holding(key)
    const answer = node.handle(key, request!, epoch)
    if (answer === undefined || isDamage(answer) || answer.record === before) return answer
    if (isDamage(before)) {
      this.#stage.teller?.note(`${node.nodeId} has healed its record of ${formatKey(key)}`)
      return answer
    }
    if (request!.kind === 'stub' && before.accepted !== undefined) this.#stage.oracle.removed(before)
    if (request!.kind === 'drop') this.#dropped(node, before)
    return answer
  }

  #list(node: Node, parcel: Parcel): void {
    const listing = node.list(parcel.epoch)
    if (listing === undefined) return this.#refuse(node, parcel)
    this.#stage.network.reply(parcel, 'listing', { answer: undefined, listing, nodeMembership: undefined })
  }

  /** The node answers that it is in another epoch; or it has just learned that it is no longer a member. */
  #refuse(node: Node, parcel: Parcel): void {
    const { network, teller } = this.#stage
    if (!node.isUp) return network.notifyLoss(parcel)
    const { membership: nodeMembership } = node
    const where = nodeMembership === undefined ? 'is new' : `is in epoch ${nodeMembership.epoch}`
    teller?.note(`${node.nodeId} does not act on it: it ${where}`)
    network.reply(parcel, 'mismatch', { answer: undefined, listing: undefined, nodeMembership })
  }

  #dropped({ number }: Node, { promised }: KeyRecord): void {
    this.#stage.oracle.dropped(number)
    for (const { name, drivers } of this.#connectors.list) {
      const prepared = drivers[GROUP]!.session?.prepared
      if (prepared?.proposerId !== promised.proposerId || prepared.round !== promised.round) continue
      throw new Violation(
        'no promise is dropped that somebody relies on',
        `${nodeIdOf(number)} has dropped ${promised.round}.${promised.proposerId}, which ${name} has prepared`,
      )
    }
  }
}
