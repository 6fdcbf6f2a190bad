/**
 * A world of one group and the register that names the members: the real proposers, acceptors and rules, and
 * a network, disks and timers that do what the schedule says. Every step is an `Action`. The oracle watches
 * each step, and `finish` checks what only the whole run can show.
 */
import type { Protocol } from '../protocol.ts'
import type { Action } from './action.ts'
import type { Command } from './command.ts'
import { type Connector, Session } from './connector.ts'
import { Connectors } from './connectors.ts'
import { Members } from './members.ts'
import { Network, type Parcel } from './network.ts'
import { Nodes } from './nodes.ts'
import { Oracle } from './oracle.ts'
import { Removal } from './removal.ts'
import type { Stage } from './stage.ts'
import type { Teller } from './teller.ts'

export type WorldOptions = Readonly<{
  nodeCount: number
  /** Whether the membership may change; if not, the oracle computes less. */
  canChange: boolean
  connectorCount: number
  removerCount: number
  /** The clients' commands, by the number of the operation. */
  commands: readonly Command[]
  protocol: Protocol
}>

export class World {
  readonly network = new Network()
  readonly oracle: Oracle
  readonly connectors: Connectors
  readonly nodes: Nodes
  readonly removal: Removal
  readonly members: Members
  readonly #commands: readonly Command[]
  readonly #stage: Stage

  constructor(
    { nodeCount, canChange, connectorCount, removerCount, commands, protocol }: WorldOptions,
    teller?: Teller,
  ) {
    this.#commands = commands
    this.oracle = new Oracle(nodeCount, canChange, protocol, teller)
    const { network, oracle } = this
    this.#stage = { protocol, network, oracle, teller, time: { now: 0, deadBefore: 0 } }
    this.connectors = new Connectors(this.#stage)
    this.nodes = new Nodes(this.#stage, this.connectors)
    const { newest } = oracle
    for (const { address } of newest.membership.members) this.nodes.add(address, newest)
    for (let index = 0; index < connectorCount; index += 1) this.connectors.add(newest)
    this.removal = new Removal(removerCount, this.#stage, this.connectors, this.nodes)
    this.members = new Members(this.#stage, this.connectors, this.nodes)
  }

  /** Does one step. A step that is not possible does nothing. */
  perform(action: Action): void {
    this.#stage.time.now += 1
    this.#perform(action)
    this.connectors.runLater()
  }

  /** Checks what the whole run shows. Operations that have not ended are taken as unknown. */
  finish(): void {
    for (const { number, calledAt } of this.connectors.pending) {
      if (number >= 0) this.oracle.unanswered(number, this.#commands[number]!, calledAt)
    }
    this.oracle.finish(this.#commands.length)
  }

  #perform(action: Action): void {
    const { connectors, nodes, members, removal } = this
    switch (action.kind) {
      case 'submit':
        return this.#submit(action)
      case 'deliver':
        return this.#deliver(this.network.find(action.parcel, true))
      case 'repeat':
        return this.#repeat(this.network.find(action.parcel, false))
      case 'lose':
        return this.#lose(this.network.find(action.parcel, !action.isLate), action.isLate)
      case 'crash on':
        return this.#crashOn(this.network.find(action.parcel, true), action.isSaved)
      case 'crash':
        return nodes.crash(action.node)
      case 'restart':
        return nodes.restart(action.node)
      case 'sync':
        return nodes.save(action.node)
      case 'suspect':
        return this.#with(action.connector, (it) => connectors.suspect(it, action.node, action.isSuspect))
      case 'expire':
        return connectors.expire(action.operation)
      case 'replace':
        return connectors.replace(action.connector)
      case 'look':
        return removal.look(action.remover)
      case 'grace':
        return removal.endGrace(action.remover)
      case 'change':
        return this.#with(action.connector, (it) => members.change(it, action.change))
      case 'watch':
        return this.#with(action.connector, (it) => members.watch(it))
      case 'discover':
        return this.#with(action.connector, (it) => members.discover(it, action.skipped))
      case 'show':
        return this.#with(action.connector, (it) => members.show(it, action.node))
      case 'transfer':
        return this.#with(action.connector, (it) => members.transfer(it, action.skipped))
      case 'lose disk':
        return nodes.loseDisk(action.node)
      case 'return disk':
        return nodes.returnDisk(action.node)
      case 'damage':
        return nodes.damage(action.node, action.key)
      case 'invent':
        return nodes.invent(action.node, action)
      case 'mend':
        return this.#with(action.connector, (it) => members.mend(it, action.key))
      case 'heal':
        return this.#heal()
      default:
        action satisfies never
    }
  }

  #with(index: number, use: (connector: Connector) => void): void {
    const connector = this.connectors.list[index]
    if (connector !== undefined) use(connector)
  }

  #submit({ operation, connector, recall }: Extract<Action, { kind: 'submit' }>): void {
    const command = this.#commands[operation]
    if (command === undefined) return
    const taker = this.connectors.list[connector] ?? this.connectors.add(this.oracle.newest)
    this.connectors.submit(taker, operation, command, recall)
  }

  #deliver(parcel: Parcel | undefined): void {
    if (parcel === undefined) return
    if (parcel.kind === 'request' || parcel.kind === 'list') return this.nodes.arrive(parcel)
    const { sender, node, nodeMembership } = parcel
    if (sender === undefined || sender.connector.isDead) return
    this.#stage.teller?.delivered(parcel)
    if (nodeMembership !== undefined && this.members.mismatch(sender.connector, node, nodeMembership)) return
    if (sender instanceof Session) this.connectors.receive(sender, parcel)
    else sender.take(parcel)
  }

  /** An accept is delivered at most once: a transport must ensure that (protocol.md §4.5). */
  #repeat(parcel: Parcel | undefined): void {
    if (parcel?.kind !== 'request' || parcel.request?.kind !== 'accept') this.#deliver(parcel)
  }

  #lose(parcel: Parcel | undefined, isLate: boolean): void {
    if (parcel === undefined) return
    this.#stage.teller?.lost(parcel, isLate)
    this.network.notifyLoss(parcel)
  }

  #crashOn(parcel: Parcel | undefined, isSaved: boolean): void {
    if (parcel?.kind === 'request') this.nodes.crashOn(parcel, isSaved)
    else this.#deliver(parcel)
  }

  #heal(): void {
    this.#stage.teller?.note('the network heals, and every node runs')
    this.nodes.heal()
    for (const { suspects } of this.connectors.list) suspects.fill(false)
  }
}
