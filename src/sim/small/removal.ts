import { isDamage } from '../../register/damage.ts'
import type { Connectors } from './connectors.ts'
import { GROUP } from './key.ts'
import type { Nodes } from './nodes.ts'
import { Remover, type Step } from './remover.ts'
import type { Stage } from './stage.ts'
import { formatHolding } from './teller.ts'

/**
 * The removal of the tombstone of the clients' key by one or two removers, and the grace times for which they
 * wait.
 */
export class Removal {
  readonly removers: readonly Remover[]
  readonly #stage: Stage
  readonly #connectors: Connectors
  readonly #nodes: Nodes

  constructor(count: number, stage: Stage, connectors: Connectors, nodes: Nodes) {
    this.#stage = stage
    this.#connectors = connectors
    this.#nodes = nodes
    const { oracle, protocol } = stage
    this.removers = Array.from(
      { length: count },
      (_, index) => new Remover(`r${index + 1}`, oracle.newest, protocol.removal),
    )
  }

  /** A remover asks the next node. As part of a connector, it stops while the membership changes. */
  look(index: number): void {
    const remover = this.removers[index]!
    const { epoch } = this.#connectors.list[index % this.#connectors.list.length]!
    remover.follow(epoch)
    if (epoch.isJoint) return
    const node = this.#nodes.list[remover.nextNode]!
    if (!node.isUp) return
    this.#nodes.show(node, epoch)
    if (!node.isUp || node.epoch !== epoch) return
    const holding = node.holding(GROUP)
    this.#stage.teller?.note(`${node.nodeId} → ${remover.name}  ${formatHolding(holding)}`)
    const step = remover.hear(holding, this.#stage.time.now)
    if (step !== undefined) this.#take(remover, step)
  }

  /** The grace time of a remover is over: operations, messages and views from before its start are dead. */
  endGrace(index: number): void {
    const remover = this.removers[index]!
    const since = remover.waitsSince
    if (since === undefined) return
    const { teller, time, network, protocol } = this.#stage
    teller?.note(`${remover.name}  has waited for the grace time: all that is older is dead`)
    if (protocol.removal.viewsDie) time.deadBefore = Math.max(time.deadBefore, since)
    this.#connectors.expireOlder(since)
    network.dropOlder(since)
    remover.endGrace()
  }

  /** Sends what the next step of a removal needs, with a ballot that nothing else ever uses. */
  #take({ name, askedAt, epoch }: Remover, { finding, holdings }: Step): void {
    const { protocol, teller, network } = this.#stage
    const round =
      holdings.reduce(
        (highest, holding) => Math.max(highest, isDamage(holding) ? 0 : holding.promised.round),
        0,
      ) + 1
    const ballot = { round, proposerId: this.#connectors.newProposerId() }
    teller?.note(`${name}  finds ${finding.kind}, and takes the next step`)
    for (const [index, node] of epoch.nodes.entries()) {
      for (const request of protocol.removal.requests(finding, index, ballot))
        network.sendUnanswered(name, askedAt, epoch, node, request)
    }
  }
}
