import { observe } from '../../membership/look-around.ts'
import { compareAndSet, decodeMembership, encodeMembership } from '../../membership/membership-register.ts'
import { type ChangePlan, finish, planReplace } from '../../membership/plan-change.ts'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { isDamage } from '../../register/damage.ts'
import type { Outcome } from '../../register/operation.ts'
import type { Description, Membership } from '../../rpc/messages.ts'
import type { Change } from './action.ts'
import type { Connector } from './connector.ts'
import type { Connectors } from './connectors.ts'
import { memberOf, nodeIdOf, numberOf, planOf } from './epoch.ts'
import { formatKey, GROUP, KEYS, type Key, MEMBERSHIP } from './key.ts'
import type { Node } from './node.ts'
import type { Nodes } from './nodes.ts'
import type { Stage } from './stage.ts'
import { Transfer } from './transfer.ts'

/** How connectors change the membership, carry out a change, and learn of the changes of others. */
export class Members {
  readonly #stage: Stage
  readonly #connectors: Connectors
  readonly #nodes: Nodes
  /** The addresses at which every connector looks for nodes. */
  readonly #hosts: readonly string[]

  constructor(stage: Stage, connectors: Connectors, nodes: Nodes) {
    this.#stage = stage
    this.#connectors = connectors
    this.#nodes = nodes
    this.#hosts = nodes.list.map(({ address }) => address)
  }

  /**
   * A connector proposes a change of the membership of its epoch. If the change needs a new node, one starts.
   */
  change(connector: Connector, change: Change): void {
    const newcomer = memberOf(nodeIdOf(this.#nodes.list.length))
    const planned = planOf(change, connector.epoch.membership, newcomer)
    const isNew = planned.kind === 'change' && names(planned.membership, newcomer.nodeId)
    if (isNew && !this.#nodes.hasRoom) return
    if (isNew) this.#nodes.add(newcomer.address, undefined)
    this.#begin(connector, planned)
  }

  /** A connector reads which membership is chosen, and adopts it. */
  watch(connector: Connector): void {
    if (connector.isWatching) return
    connector.isWatching = true
    this.#connectors.submitOwn(connector, {
      key: MEMBERSHIP,
      name: 'a look at the membership',
      isRead: true,
      decide: (value) => ({
        kind: 'keep',
        result: value === undefined ? undefined : decodeMembership(value),
      }),
      onEnd: (outcome, now) => {
        connector.isWatching = false
        this.#learn(now, outcome)
      },
    })
  }

  /**
   * A connector asks all nodes except one for their identities, and acts on the answers by the real rules.
   */
  discover(connector: Connector, skipped: number | undefined): void {
    const { membership } = connector.epoch
    const asked = this.#nodes.list.filter(({ isUp, number }) => isUp && number !== skipped)
    this.#stage.teller?.note(
      `${connector.name}  asks ${asked.map(({ nodeId }) => nodeId).join(' ')} who they are`,
    )
    const { newer, removed, lostDisks } = observe(
      {
        membership,
        reachable: this.#reachableBy(connector),
        hosts: this.#hosts,
        addressOf: (member) => this.#nodes.list[numberOf(member)]!.address,
      },
      asked.map((node) => ({ address: node.address, description: descriptionOf(node) })),
    )
    for (const member of removed) this.#nodes.show(this.#nodes.list[numberOf(member)]!, connector.epoch)
    if (newer !== undefined) this.#follow(connector, newer)
    else if (lostDisks.kind === 'replaceable') {
      const { member, newcomer } = lostDisks.lost
      this.#begin(connector, planReplace(membership, member.nodeId, newcomer))
    }
  }

  /** A connector opens its link to a node of its epoch. */
  show({ epoch }: Connector, number: number): void {
    const node = this.#nodes.list[number]
    if (node?.isUp === true && epoch.nodes.includes(number)) this.#nodes.show(node, epoch)
  }

  /**
   * A node did not act on a message of a connector, because it is in another epoch. Returns whether the
   * connector moves to a newer epoch because enough nodes have reported it. If not, the connector reads which
   * membership is chosen.
   */
  mismatch(connector: Connector, number: number, nodeMembership: Membership): boolean {
    const { membership } = connector.epoch
    const nodeId = nodeIdOf(number)
    connector.claims.set(nodeId, { nodeId, membership: nodeMembership })
    const { newestConfirmed } = this.#stage.protocol.membership
    const newer = newestConfirmed(membership, [...connector.claims.values()])
    if (newer !== undefined) this.#follow(connector, newer)
    else if (nodeMembership.epoch > membership.epoch) this.watch(connector)
    return newer !== undefined
  }

  /** In a joint epoch, the transfer of a connector begins what it has to do. */
  transfer(connector: Connector, skipped: number | undefined): void {
    if (!connector.epoch.isJoint) return
    connector.transfer ??= this.#newTransfer(connector)
    connector.transfer.advance(skipped)
  }

  /** A connector runs a round for a key: nodes with a damaged record learn the state that is chosen. */
  mend(connector: Connector, key: Key): void {
    this.#connectors.submitOwn(connector, {
      key,
      name: `the mending of ${formatKey(key)}`,
      needsRound: true,
      decide: () => ({ kind: 'keep', result: undefined }),
      onEnd: () => undefined,
    })
  }

  #newTransfer(connector: Connector): Transfer {
    const { network, protocol } = this.#stage
    const { epoch, suspects } = connector
    const { membership } = epoch
    const transfer = new Transfer(connector, protocol.membership, {
      isReachable: (index) => {
        const number = epoch.nodes[index]!
        const node = this.#nodes.list[number]!
        return (
          node.isUp && !suspects[index] && protocol.membership.mayBeListed(node, epoch.recipients[number]!)
        )
      },
      list: (index, token) => network.send('list', transfer, GROUP, epoch.nodes[index]!, token, undefined),
      ask: (index, key) => network.send('request', transfer, key, epoch.nodes[index]!, 0, { kind: 'read' }),
      settle: (key, onEnd) =>
        this.#connectors.submitOwn(connector, {
          key,
          name: `the seal of ${formatKey(key)}`,
          needsRound: true,
          decide: () => ({ kind: 'keep', result: undefined }),
          onEnd: ({ kind }, now) => {
            if (now.transfer === transfer) onEnd(kind === 'decided')
          },
        }),
      finish: (onFailure) => this.#propose(connector, finish(membership), onFailure),
    })
    return transfer
  }

  /** Begins a change, unless the rules refuse it. */
  #begin(connector: Connector, planned: ChangePlan): void {
    const { membership } = this.#stage.protocol
    const plan = membership.requireSpare(planned, (nodeId) => {
      const { isUp, isDamaged, isWrong } = this.#nodes.list[numberOf({ nodeId })]!
      return isUp && !isDamaged && !isWrong
    })
    if (plan.kind === 'refused') this.#stage.teller?.note(`${connector.name}  is refused: ${plan.code}`)
    else this.#propose(connector, membership.begin(plan.membership), () => undefined)
  }

  #propose(connector: Connector, next: Membership, onFailure: () => void): void {
    const { membership } = connector.epoch
    this.#stage.oracle.proposed(next)
    this.#connectors.submitOwn(connector, {
      key: MEMBERSHIP,
      name: `the change to epoch ${next.epoch}`,
      decide: (value) => compareAndSet(value, membership, next),
      onEnd: (outcome, now) => {
        this.#learn(now, outcome)
        if (outcome.kind !== 'decided') onFailure()
      },
    })
  }

  /** An operation on the register of the membership has ended. */
  #learn(connector: Connector, outcome: Outcome): void {
    const membership = outcome.kind === 'decided' ? (outcome.result as Membership | undefined) : undefined
    if (membership !== undefined) this.#follow(connector, membership)
  }

  #follow(connector: Connector, membership: Membership): void {
    this.#connectors.follow(connector, this.#stage.oracle.epochOf(membership))
  }

  /** The ids of the nodes whose links to a connector work. */
  #reachableBy({ epoch, suspects }: Connector): ReadonlySet<string> {
    const reachable = epoch.nodes
      .map((number) => this.#nodes.list[number]!)
      .filter((node, index) => node.isUp && !node.isWrong && !suspects[index] && node.epoch === epoch)
    return new Set(reachable.map(({ nodeId }) => nodeId))
  }
}

function names({ members }: Membership, nodeId: string): boolean {
  return members.some((member) => member.nodeId === nodeId)
}

function descriptionOf(node: Node): Description {
  const { nodeId, membership } = node
  const recordCount = KEYS.filter((key) => node.holding(key) !== EMPTY_RECORD).length
  const damagedCount = KEYS.filter((key) => isDamage(node.holding(key))).length
  const counts = { recordCount, tombstoneCount: 0, stubCount: 0, damagedCount, healedCount: 0 }
  const description = { nodeId, membership, version: '', ...counts }
  const holding = node.holding(MEMBERSHIP)
  // A node that is wrong about the members may also have voted for what it says.
  if (node.isWrong) return { ...description, membershipVote: encodeMembership(membership!) }
  const vote = isDamage(holding) || holding.accepted === undefined ? undefined : holding.state.value
  return vote === undefined ? description : { ...description, membershipVote: vote }
}
