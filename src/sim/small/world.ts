/**
 * A world of one key: the real proposers and acceptors, and a network, disks and timers that do what the
 * schedule says. Every step is an `Action`; checkers watch each of them, and `finish` checks what only the
 * whole run can show.
 */

import { type Call, linearize } from '../../linearizability/linearizability.ts'
import { finish, requireSpare } from '../../membership/plan-change.ts'
import type { Answer, KeyRecord, Request } from '../../register/messages.ts'
import type { Outcome } from '../../register/operation.ts'
import type { Effect, Proposer } from '../../register/proposer.ts'
import { ChangingElectorate } from '../checkers/electorate.ts'
import { ExactlyOnce, type Told } from '../checkers/exactly-once.ts'
import { Ledger } from '../checkers/ledger.ts'
import { Promises } from '../checkers/promises.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import type { Action, Change, Recall } from './action.ts'
import { type Command, decide, type Reply } from './command.ts'
import { type ClientOperation, Connector, type KnownView, type Parcel, type Sender } from './connector.ts'
import {
  configurationsOf,
  type Epoch,
  epochOf,
  firstEpoch,
  formatEpoch,
  memberOf,
  numberOf,
  planOf,
} from './epoch.ts'
import { MODEL, type NumberedCommand } from './model.ts'
import { Node } from './node.ts'
import { Remover, type Step } from './remover.ts'
import { formatRecord, type Teller } from './teller.ts'
import { Transfer } from './transfer.ts'

export type WorldOptions = Readonly<{
  nodeCount: number
  /** Whether the membership may change; if not, less is reckoned. */
  canChange: boolean
  connectorCount: number
  removerCount: number
  /** What the clients do, by the number of the operation. */
  commands: readonly Command[]
  protocol: Protocol
}>

/** Views that a later proposer may be given; the oldest are kept. */
const VIEWS_MAX = 64

/** The number of an operation that no client has asked for. */
const NO_CLIENT = -1

export class World {
  readonly nodes: Node[]
  /** Those that are chosen, in their order. */
  readonly epochs: Epoch[]
  readonly connectors: Connector[] = []
  readonly removers: readonly Remover[]
  /** All that is on its way, in no particular order. */
  readonly parcels: Parcel[] = []
  /** Operations that have been submitted and not answered. */
  readonly pending: ClientOperation[] = []
  /** Every view that some connector held when it became idle: states that were known to be chosen. */
  readonly views: KnownView[] = []
  /** Messages that have reached their end. */
  messageCount = 0
  readonly ledger: Ledger
  readonly #options: WorldOptions
  /** Who decides in which epoch, as the ledger sees it. */
  readonly #electorate = new ChangingElectorate()
  readonly #promises = new Promises()
  readonly #exactlyOnce: ExactlyOnce
  readonly #calls: (Call<NumberedCommand, Reply> | undefined)[] = []
  readonly #teller: Teller | undefined
  #time = 0
  #proposerCount = 0
  /** What is older has died in a grace time. */
  #deadBefore = 0
  #removerParcels = 0
  /** The operations that have decided to change something since the event under way began. */
  #deciders: number[] = []

  constructor(options: WorldOptions, teller?: Teller) {
    const { nodeCount, canChange, connectorCount, removerCount, protocol } = options
    this.#options = options
    this.#teller = teller
    const first = firstEpoch(nodeCount, protocol)
    this.epochs = [first]
    this.#electorate.chose(first.membership)
    this.ledger = new Ledger(
      canChange ? (voters, ballot, writer) => this.#electorate.isEnough(voters, ballot, writer) : nodeCount,
    )
    this.#exactlyOnce = new ExactlyOnce(this.ledger)
    this.nodes = Array.from(
      { length: nodeCount },
      (_, index) => new Node(index, first.number, protocol, this.ledger),
    )
    for (let index = 0; index < connectorCount; index += 1) this.connectors.push(this.#newConnector(first))
    this.removers = Array.from(
      { length: removerCount },
      (_, index) => new Remover(`r${index + 1}`, first, protocol.removal),
    )
  }

  /** Does one step. A step that is not possible is left out. */
  perform(action: Action): void {
    this.#time += 1
    switch (action.kind) {
      case 'submit':
        return this.#submit(action.operation, action.connector, action.recall)
      case 'deliver':
        return this.#withParcel(action.parcel, true, (parcel) => this.#deliver(parcel))
      case 'repeat':
        return this.#withParcel(action.parcel, false, (parcel) => {
          // An accept is delivered at most once: a transport must see to it (protocol.md §4.5).
          if (parcel.kind !== 'request' || parcel.request?.kind !== 'accept') this.#deliver(parcel)
        })
      case 'lose':
        return this.#withParcel(action.parcel, !action.isLate, (parcel) => {
          this.#teller?.lost(parcel, action.isLate)
          this.#notifyLoss(parcel)
        })
      case 'crash on':
        return this.#withParcel(action.parcel, true, (parcel) => this.#crashOn(parcel, action.isSaved))
      case 'crash':
        return this.#crash(action.node)
      case 'restart':
        return this.#restart(action.node)
      case 'sync':
        return this.nodes[action.node]?.save()
      case 'suspect':
        return this.#suspect(this.connectors[action.connector]!, action.node, action.isSuspect)
      case 'expire':
        return this.#expire(action.operation)
      case 'replace':
        return this.#replace(action.connector)
      case 'look':
        return this.#look(this.removers[action.remover]!)
      case 'grace':
        return this.#endGrace(this.removers[action.remover]!)
      case 'change':
        return this.#change(action.change)
      case 'follow':
        return this.#follow(action.connector, this.epochs[action.epoch - 1])
      case 'show':
        return this.#showAnyway(action.node, this.epochs[action.epoch - 1])
      case 'transfer':
        return this.#transfer(this.connectors[action.connector]!, action.skipped)
      case 'lose disk':
        return this.#loseDisk(action.node)
      case 'return disk':
        return this.#returnDisk(action.node)
      case 'heal':
        return this.#heal()
      default:
        action satisfies never
    }
  }

  /** Checks what the whole run shows. Operations that have not ended are taken as unknown. */
  finish(): void {
    this.#exactlyOnce.checkAll(this.#options.commands.length)
    for (const { number, command, calledAt } of this.pending) {
      if (number === NO_CLIENT) continue
      this.#calls[number] = { call: { operation: number, command }, calledAt, returned: undefined }
    }
    const calls: Call<NumberedCommand, Reply>[] = []
    const indexes: number[] = []
    this.#calls.forEach((call, operation) => {
      if (call !== undefined) indexes[operation] = calls.push(call) - 1
    })
    const witness = this.ledger.order().map((operation) => indexes[operation] ?? -1)
    const explanation = linearize(MODEL, calls, witness)
    if (explanation.kind !== 'found') {
      const text =
        explanation.kind === 'none'
          ? 'no order of the operations explains their answers'
          : 'the order in which states were chosen does not explain the answers, and no other was found'
      throw new Violation('the history is linearizable', text)
    }
  }

  // Operations ----------------------------------------------------------------------------------------------

  #submit(number: number, connectorIndex: number, recall: Recall): void {
    const command = this.#options.commands[number]
    if (command === undefined) return
    const connector = this.connectors[connectorIndex] ?? this.#addConnector(this.newest)
    const operation: ClientOperation = {
      number,
      command,
      connector,
      calledAt: this.#time,
      attempts: [],
      needsRound: command.kind === 'settle',
      isRead: command.kind === 'read',
      decide: (value) => {
        const decision = decide(command, number, value)
        if (decision.kind === 'propose') this.#deciders.push(number)
        return decision
      },
    }
    this.#teller?.called(operation)
    this.#begin(connector, operation, recall)
  }

  #begin(connector: Connector, operation: ClientOperation, recall: Recall): void {
    this.pending.push(operation)
    const proposer = connector.open(recall, this.views, this.#time, this.#deadBefore)
    // With the oldest of its operations, which may have begun in an older epoch, it dies of a grace time.
    connector.origin = Math.min(connector.origin, operation.calledAt)
    this.#react(connector, proposer, () => proposer.submit(operation))
  }

  #expire(number: number): void {
    const operation = this.pending.find((candidate) => candidate.number === number)
    if (operation === undefined) return
    const { connector } = operation
    const proposer = connector.proposer!
    this.#teller?.note(`c${connector.proposerId}  the time of operation ${number} is over`)
    this.#react(connector, proposer, () => proposer.expire(operation))
  }

  #finishOperation(operation: ClientOperation, outcome: Outcome): void {
    const { number, command, calledAt } = operation
    this.pending.splice(this.pending.indexOf(operation), 1)
    if (operation.onEnd !== undefined) return operation.onEnd(outcome)
    this.#teller?.answered(operation, outcome)
    const call = { operation: number, command }
    if (outcome.kind === 'decided') {
      const result = outcome.result as Reply
      this.#time += 1
      this.#calls[number] = { call, calledAt, returned: { at: this.#time, result } }
      this.#exactlyOnce.told(number, hasChanged(result) ? 'changed' : 'unchanged')
      return
    }
    if (outcome.kind === 'unknown') this.#calls[number] = { call, calledAt, returned: undefined }
    this.#exactlyOnce.told(number, outcome.kind satisfies Told)
  }

  /** Lets a proposer react to an event, and carries its effects out. */
  #react(
    connector: Connector,
    proposer: Proposer<ClientOperation>,
    event: () => readonly Effect<ClientOperation>[],
  ): void {
    this.#deciders = []
    for (const effect of event()) {
      if (effect.kind === 'send') {
        this.#observe(effect.request)
        const { to, token, request } = effect
        if (request.kind === 'prepare') connector.prepared = request.ballot
        this.#post('request', { connector, proposer }, connector.epoch.nodes[to]!, token, request, undefined)
      } else if (effect.kind === 'finish') this.#finishOperation(effect.operation, effect.outcome)
      else this.#post('timer', { connector, proposer }, 0, effect.token, undefined, undefined)
    }
    const view = connector.proposer === proposer ? connector.closeIdle() : undefined
    if (view !== undefined && this.views.length < VIEWS_MAX) this.views.push(view)
  }

  #observe(request: Request): void {
    if (request.kind === 'accept') {
      this.ledger.proposed(request.ballot, request.state, this.#deciders)
    } else if (request.kind === 'learn') this.ledger.toldChosen(request.ballot, request.state.writeId)
    else if (request.kind === 'mark') this.ledger.toldChosen(request.ballot, request.writeId)
  }

  // Network -------------------------------------------------------------------------------------------------

  #post(
    kind: Parcel['kind'],
    sender: Sender,
    node: number,
    token: number,
    request: Parcel['request'],
    answer: Parcel['answer'],
  ): void {
    const { connector } = sender
    connector.parcelCount += 1
    const id = connector.proposerId * 65_536 + connector.parcelCount
    const name = `c${connector.proposerId}`
    const { origin, epoch } = connector
    this.parcels.push({ id, kind, sender, name, origin, epoch, node, token, request, answer })
  }

  #withParcel(id: number, isTaken: boolean, use: (parcel: Parcel) => void): void {
    const { parcels } = this
    for (let index = 0; index < parcels.length; index += 1) {
      const parcel = parcels[index]!
      if (parcel.id !== id) continue
      if (isTaken) {
        parcels[index] = parcels[parcels.length - 1]!
        parcels.pop()
      }
      this.messageCount += 1
      return use(parcel)
    }
  }

  #deliver(parcel: Parcel): void {
    const { sender, node, token, answer } = parcel
    if (parcel.kind === 'request') return this.#arrive(parcel)
    if (sender === undefined || sender.connector.isDead) return
    const { connector, proposer } = sender
    this.#teller?.delivered(parcel)
    const from = connector.epoch.nodes.indexOf(node)
    if (parcel.kind === 'answer') {
      this.#react(connector, proposer, () => proposer.receive(from, token, answer!))
    } else if (parcel.kind === 'loss') this.#react(connector, proposer, () => proposer.lose(from, token))
    else this.#react(connector, proposer, () => proposer.resume(token))
  }

  #arrive(parcel: Parcel): void {
    const { sender, node, token, request } = parcel
    if (!this.nodes[node]!.isUp) {
      this.#teller?.lost(parcel, false)
      return this.#notifyLoss(parcel)
    }
    this.#teller?.delivered(parcel)
    const answer = this.#handle(parcel)
    if (answer === undefined) return this.#notifyLoss(parcel)
    if (request!.kind === 'mark') return
    this.#promises.told(node, answer.record)
    if (sender !== undefined) this.#post('answer', sender, node, token, request, answer)
  }

  /** `undefined`: the node does not act on it, being in another epoch. */
  #handle(parcel: Parcel): Answer | undefined {
    const { node: index, epoch } = parcel
    const request = parcel.request!
    const node = this.nodes[index]!
    this.#show(index, epoch)
    if (!node.isUp) return undefined
    const before = node.record
    const answer = node.handle(request, epoch.number)
    if (answer === undefined) this.#teller?.note(`n${index + 1} does not act on it: ${inEpoch(node)}`)
    if (answer === undefined || answer.record === before) return answer
    if (request.kind === 'stub' && before.accepted !== undefined)
      this.ledger.removed(before.accepted, before.state)
    if (request.kind === 'drop') this.#dropped(index, before)
    return answer
  }

  /** Every message carries the membership of its epoch. */
  #show(index: number, epoch: Epoch): void {
    const node = this.nodes[index]!
    const before = node.epoch
    node.show(epoch)
    if (node.isExpelled && !node.isUp)
      this.#teller?.note(`n${index + 1} learns that it is no member any more`)
    else if (node.epoch !== before) this.#teller?.note(`n${index + 1} adopts ${formatEpoch(epoch)}`)
  }

  #crashOn(parcel: Parcel, isSaved: boolean): void {
    const { kind, node } = parcel
    if (kind !== 'request' || !this.nodes[node]!.isUp) return this.#deliver(parcel)
    this.#teller?.delivered(parcel)
    if (isSaved) {
      this.#handle(parcel)
      this.#teller?.note(`n${node + 1} has saved what it changed`)
    }
    this.#crash(node)
    this.#notifyLoss(parcel)
  }

  /** Sooner or later a connector learns that a request, or its answer, was lost. */
  #notifyLoss({ kind, sender, node, token, request }: Parcel): void {
    if (sender === undefined) return
    if (kind === 'timer') this.#post('timer', sender, node, token, undefined, undefined)
    else this.#post('loss', sender, node, token, request, undefined)
  }

  // Removal -------------------------------------------------------------------------------------------------

  /** A removal is part of a connector, and stands still while the membership is being changed. */
  #look(remover: Remover): void {
    const host = this.connectors[this.removers.indexOf(remover) % this.connectors.length]!
    remover.follow(host.epoch)
    if (host.epoch.isJoint) return
    const index = remover.nextNode
    const node = this.nodes[index]!
    if (!node.isUp) return
    this.#show(index, host.epoch)
    if (!node.isUp || node.epoch !== host.epoch.number) return
    this.#teller?.note(`n${index + 1} → ${remover.name}  ${formatRecord(node.record)}`)
    const step = remover.hear(node.record, this.#time)
    if (step !== undefined) this.#take(remover, step)
  }

  /** Sends what the next step of a removal needs, under a ballot that nobody else ever uses. */
  #take({ name, askedAt, epoch }: Remover, { finding, records }: Step): void {
    this.#proposerCount += 1
    const round = records.reduce((highest, { promised }) => Math.max(highest, promised.round), 0) + 1
    const ballot = { round, proposerId: this.#proposerCount }
    this.#teller?.note(`${name}  finds ${finding.kind}, and takes the next step`)
    const { requests } = this.#options.protocol.removal
    for (const [index, node] of epoch.nodes.entries()) {
      for (const request of requests(finding, index, ballot)) {
        this.#removerParcels += 1
        this.parcels.push({
          id: this.#removerParcels,
          kind: 'request',
          sender: undefined,
          name,
          origin: askedAt,
          epoch,
          node,
          token: 0,
          request,
          answer: undefined,
        })
      }
    }
  }

  /** All that was alive when the remover took note is dead: operations, their messages, and what was read. */
  #endGrace(remover: Remover): void {
    const since = remover.waitsSince
    if (since === undefined) return
    this.#teller?.note(`${remover.name}  has waited for the grace time: all that is older is dead`)
    if (this.#options.protocol.removal.viewsDie) this.#deadBefore = Math.max(this.#deadBefore, since)
    for (const connector of this.connectors) {
      if (connector.proposer !== undefined && connector.origin < since) this.#end(connector)
    }
    for (let index = this.parcels.length - 1; index >= 0; index -= 1) {
      if (this.parcels[index]!.origin < since) this.parcels.splice(index, 1)
    }
    remover.endGrace()
  }

  /** The time of all operations of a connector is over. */
  #end(connector: Connector): void {
    const proposer = connector.proposer!
    for (const operation of this.pending.filter((candidate) => candidate.connector === connector)) {
      this.#react(connector, proposer, () => proposer.expire(operation))
    }
  }

  #dropped(node: number, { promised }: KeyRecord): void {
    this.#promises.dropped(node)
    for (const { isDead, proposer, proposerId, prepared } of this.connectors) {
      if (isDead || proposer === undefined || prepared === undefined) continue
      if (prepared.proposerId === promised.proposerId && prepared.round === promised.round) {
        throw new Violation(
          'no promise is dropped that somebody relies on',
          `node ${node} has dropped ${promised.round}.${promised.proposerId}, which c${proposerId} has prepared`,
        )
      }
    }
  }

  // Changes of the membership -------------------------------------------------------------------------------

  /** The epoch that was chosen last. */
  get newest(): Epoch {
    return this.epochs[this.epochs.length - 1]!
  }

  /** Whether there are quorums of the newest epoch without a disk more. */
  #canLose(lost: number): boolean {
    return configurationsOf(this.newest).every((members) => {
      const count = members.filter((node) => node !== lost && this.nodes[node]!.canRun).length
      return 2 * count > members.length
    })
  }

  /** The register of the membership is taken for granted: an atomic compare-and-set. */
  #change(change: Change): void {
    const newcomer = this.nodes.length
    const planned = requireSpare(
      planOf(change, this.newest.membership, memberOf(newcomer)),
      (nodeId) => this.nodes[numberOf(nodeId)]!.isUp,
    )
    if (planned.kind === 'refused') return
    const { protocol } = this.#options
    const epoch = epochOf(protocol.membership.begin(planned.membership), protocol)
    if (epoch.nodes.includes(newcomer)) this.nodes.push(new Node(newcomer, 0, protocol, this.ledger))
    this.#choose(epoch)
  }

  #choose(epoch: Epoch): void {
    this.#teller?.note(`${formatEpoch(epoch)} is chosen`)
    this.epochs.push(epoch)
    this.#electorate.chose(epoch.membership)
    this.ledger.reconsider()
  }

  /**
   * What `RegisterClient.retire` does: another client, with an id of its own, goes on with everything that is
   * under way.
   */
  #follow(index: number, epoch: Epoch | undefined): void {
    const before = this.connectors[index]
    if (epoch === undefined || before === undefined || epoch.number <= before.epoch.number) return
    const connector = this.#newConnector(epoch)
    this.#teller?.note(`c${before.proposerId} follows to ${formatEpoch(epoch)}, as c${connector.proposerId}`)
    before.isDead = true
    this.connectors[index] = connector
    const operations = this.pending.filter((operation) => operation.connector === before)
    for (const operation of operations) {
      this.pending.splice(this.pending.indexOf(operation), 1)
      operation.connector = connector
      if (!this.#options.protocol.membership.attemptsGoOn) operation.attempts = []
      this.#begin(connector, operation, 'own')
    }
  }

  #transfer(connector: Connector, skipped: number | undefined): void {
    const { epoch, suspects } = connector
    if (!epoch.isJoint) return
    const { membership } = this.#options.protocol
    connector.transfer ??= new Transfer(epoch, membership)
    const name = `c${connector.proposerId}`
    const ask = (index: number): KeyRecord | undefined => {
      const node = this.nodes[epoch.nodes[index]!]!
      const isMeant = node.epoch === epoch.number || !membership.doesListAdopt
      if (!node.isUp || !isMeant) return undefined
      this.#teller?.note(
        `n${epoch.nodes[index]! + 1} → ${name}, for its transfer  ${formatRecord(node.record)}`,
      )
      return node.record
    }
    const isReachable = (index: number): boolean => {
      const node = epoch.nodes[index]!
      if (suspects[index] || !this.nodes[node]!.isUp) return false
      // Its link shows the membership to whom it reaches.
      if (membership.doesListAdopt) this.#show(node, epoch)
      return this.nodes[node]!.epoch === epoch.number || !membership.doesListAdopt
    }
    const settle = (onEnd: (isDecided: boolean) => void) => {
      this.#teller?.note(`${name}  has the key settled, for its transfer`)
      this.#begin(connector, aSettlement(connector, this.#time, onEnd), 'own')
    }
    const onFinish = () => {
      if (epoch === this.newest) this.#choose(epochOf(finish(epoch.membership), this.#options.protocol))
    }
    connector.transfer.advance({ isReachable, ask, settle, finish: onFinish }, skipped)
  }

  /** As it is told to those that are members no more. */
  #showAnyway(index: number, epoch: Epoch | undefined): void {
    if (this.nodes[index]?.isUp === true && epoch !== undefined) this.#show(index, epoch)
  }

  /** Only so many that every quorum can still be had: more are beyond repair, and nothing is promised. */
  #loseDisk(index: number): void {
    const node = this.nodes[index]
    if (node === undefined || !node.canRun || !this.#canLose(index)) return
    this.#teller?.note(`n${index + 1} loses its disk`)
    node.crash()
    node.isLost = true
  }

  #returnDisk(index: number): void {
    const node = this.nodes[index]
    if (node === undefined || !node.isLost) return
    this.#teller?.note(`the disk of n${index + 1} is back`)
    node.isLost = false
  }

  // Processes -----------------------------------------------------------------------------------------------

  #crash(index: number): void {
    if (this.nodes[index]?.isUp !== true) return
    this.#teller?.note(`n${index + 1} crashes`)
    this.nodes[index]!.crash()
  }

  #restart(index: number): void {
    const node = this.nodes[index]
    if (node === undefined || node.isUp || !node.canRun) return
    this.#teller?.note(`n${index + 1} restarts`)
    node.isUp = true
  }

  #suspect(connector: Connector, node: number, isSuspect: boolean): void {
    const index = connector.epoch.nodes.indexOf(node)
    if (index < 0 || connector.suspects[index] === isSuspect) return
    this.#teller?.note(
      `c${connector.proposerId}  ${isSuspect ? 'suspects' : 'no longer suspects'} n${node + 1}`,
    )
    connector.suspects[index] = isSuspect
    const { proposer } = connector
    if (isSuspect && proposer !== undefined) this.#react(connector, proposer, () => proposer.reconsider())
  }

  #replace(index: number): void {
    const connector = this.connectors[index]!
    connector.isDead = true
    this.#teller?.note(`c${connector.proposerId} dies; c${this.#proposerCount + 1} takes its place`)
    for (const operation of this.pending.filter((candidate) => candidate.connector === connector)) {
      this.#finishOperation(operation, { kind: 'unknown' })
    }
    this.connectors[index] = this.#newConnector(connector.epoch)
  }

  #heal(): void {
    this.#teller?.note('the network heals, and every node runs')
    for (const node of this.nodes) if (node.canRun) node.isUp = true
    for (const { suspects } of this.connectors) suspects.fill(false)
  }

  #addConnector(epoch: Epoch): Connector {
    const connector = this.#newConnector(epoch)
    this.connectors.push(connector)
    return connector
  }

  #newConnector(epoch: Epoch): Connector {
    this.#proposerCount += 1
    this.#electorate.began(this.#proposerCount, epoch.number)
    return new Connector(this.#proposerCount, epoch, this.#options.protocol)
  }
}

function inEpoch({ epoch, isExpelled }: Node): string {
  if (isExpelled) return 'it is no member any more'
  return epoch === 0 ? 'it is new' : `it is in epoch ${epoch}`
}

/** A round that a transfer has asked for. */
function aSettlement(
  connector: Connector,
  calledAt: number,
  onEnd: (isDecided: boolean) => void,
): ClientOperation {
  return {
    number: NO_CLIENT,
    command: { kind: 'settle' },
    connector,
    calledAt,
    attempts: [],
    needsRound: true,
    decide: () => ({ kind: 'keep', result: undefined }),
    onEnd: ({ kind }) => onEnd(kind === 'decided'),
  }
}

function hasChanged({ kind }: Reply): boolean {
  return kind === 'created' || kind === 'updated' || kind === 'deleted'
}
