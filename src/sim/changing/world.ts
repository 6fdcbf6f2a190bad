/**
 * A world whose membership changes: one key that clients use, and the register that names the members, over
 * the real proposers and acceptors and the real plans. Messages are of one epoch; connectors go on to the
 * next one when they hear of it, and carry changes out. Disks are lost, also those of nodes that are only
 * joining.
 */

import { type Call, linearize } from '../../linearizability/linearizability.ts'
import { compareAndSet, decodeMembership } from '../../membership/membership-register.ts'
import { type ChangePlan, finish, requireSpare } from '../../membership/plan-change.ts'
import type { Request } from '../../register/messages.ts'
import type { Decision, Operation, Outcome } from '../../register/operation.ts'
import type { Memory, Proposer } from '../../register/proposer.ts'
import { classicQuorum } from '../../register/quorum.ts'
import type { Value } from '../../register/state.ts'
import { isJoint, isMemberOf } from '../../rpc/membership.ts'
import type { Membership } from '../../rpc/messages.ts'
import { ChangingElectorate } from '../checkers/electorate.ts'
import { ExactlyOnce } from '../checkers/exactly-once.ts'
import { Ledger } from '../checkers/ledger.ts'
import { Promises } from '../checkers/promises.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import { type Command, decide, type Reply } from '../small/command.ts'
import { MODEL, type NumberedCommand } from '../small/model.ts'
import { formatAnswer, formatRequest } from '../small/teller.ts'
import { Carrier, type Want } from './carrier.ts'
import { keepAll, Life, type LifeEffect, type LifeOperation } from './life.ts'
import { ChangingNode, type Saying } from './node.ts'

/** The key of the clients, and that of the membership. */
const GROUP = 'group'
const MEMBERSHIP = 'membership'
const KEYS = [GROUP, MEMBERSHIP]

export type Connector = { life: Life; carrier: Carrier | undefined }

/** Something on its way; of a life that may be over meanwhile. */
export type Parcel = Readonly<{
  kind: 'request' | 'answer' | 'mismatch' | 'loss' | 'timer'
  connector: Connector
  life: Life
  key: string
  proposer: Proposer<LifeOperation>
  /** By its index in the life's epoch. */
  node: number
  token: number
  request: Request | undefined
  saying: Saying
}>

export class ChangingWorld {
  readonly nodes: ChangingNode[] = []
  readonly connectors: Connector[] = []
  readonly parcels: Parcel[] = []
  readonly lines: string[] | undefined
  messageCount = 0
  /** Epochs that were chosen beyond the first. */
  changeCount = 0
  readonly #protocol: Protocol
  readonly #electorate = new ChangingElectorate()
  readonly #ledgers = new Map(
    KEYS.map((key) => [key, new Ledger((...vote) => this.#electorate.isEnough(...vote))]),
  )
  readonly #promises = new Map(KEYS.map((key) => [key, new Promises()]))
  readonly #exactlyOnce = new ExactlyOnce(this.#ledgers.get(GROUP)!)
  readonly #calls: Call<NumberedCommand, Reply>[] = []
  readonly #indexes: number[] = []
  readonly #waiting = new Map<number, { command: Command; calledAt: number }>()
  #time = 0
  #proposerCount = 0
  #deciders: number[] = []

  constructor(nodeCount: number, connectorCount: number, protocol: Protocol, isTold: boolean) {
    this.#protocol = protocol
    this.lines = isTold ? [] : undefined
    const members = Array.from({ length: nodeCount }, (_, index) => memberOf(`n${index}`))
    const first: Membership = { clusterId: 'c', epoch: 1, members, tombstoneGraceMs: 3_600_000 }
    this.#electorate.chose(first)
    for (let index = 0; index < nodeCount; index += 1)
      this.nodes.push(new ChangingNode(index, protocol, first))
    for (let index = 0; index < connectorCount; index += 1) this.addConnector(first)
  }

  get newest(): Membership {
    return this.#electorate.newest as Membership
  }

  get pendingCount(): number {
    return this.#waiting.size
  }

  /** Checks what the whole run shows. */
  finish(operationCount: number): void {
    this.#exactlyOnce.checkAll(operationCount)
    for (const [number, { command, calledAt }] of this.#waiting)
      this.#call(number, { call: { operation: number, command }, calledAt, returned: undefined })
    const witness = this.#ledgers
      .get(GROUP)!
      .order()
      .map((operation) => this.#indexes[operation] ?? -1)
    if (linearize(MODEL, this.#calls, witness).kind !== 'found')
      throw new Violation('the history is linearizable', 'no order of the operations was found')
  }

  // Operations ----------------------------------------------------------------------------------------------

  submit(connector: Connector, number: number, command: Command): void {
    this.#time += 1
    this.#waiting.set(number, { command, calledAt: this.#time })
    this.#tell(() => `c${connector.life.proposerId}  operation ${number}: ${command.kind}`)
    const onEnd = (outcome: Outcome) => this.#ended(number, outcome)
    this.#enter(
      connector,
      GROUP,
      `operation ${number}`,
      number,
      (value) => decide(command, number, value),
      onEnd,
      { isRead: command.kind === 'read' },
    )
  }

  /** The oldest operation of a connector runs out of time. */
  expire(connector: Connector): void {
    const [operation] = connector.life.pending
    if (operation === undefined) return
    const proposer = connector.life.proposerOf(operation.key)
    this.#tell(() => `c${connector.life.proposerId}  the time of ${operation.name} is over`)
    this.#react(connector, connector.life, operation.key, () => proposer.expire(operation))
  }

  #enter(
    connector: Connector,
    key: string,
    name: string,
    number: number | undefined,
    change: (value: Value) => Decision,
    onEnd: (outcome: Outcome) => void,
    { needsRound = false, isRead = false }: Pick<Operation, 'needsRound' | 'isRead'> = {},
  ): void {
    const decide = (value: Value): Decision => {
      const decision = change(value)
      if (decision.kind === 'propose') this.#deciders.push(number ?? -1)
      return decision
    }
    this.#take(connector, { key, name, number, attempts: [], needsRound, isRead, decide, onEnd })
  }

  #take(connector: Connector, operation: LifeOperation): void {
    const { life } = connector
    life.pending.add(operation)
    const proposer = life.proposerOf(operation.key)
    this.#react(connector, life, operation.key, () => proposer.submit(operation))
  }

  #ended(number: number, outcome: Outcome): void {
    const { command, calledAt } = this.#waiting.get(number)!
    this.#waiting.delete(number)
    const call = { operation: number, command }
    if (outcome.kind === 'decided') {
      const result = outcome.result as Reply
      this.#time += 1
      this.#call(number, { call, calledAt, returned: { at: this.#time, result } })
      const hasChanged = ['created', 'updated', 'deleted'].includes(result.kind)
      this.#exactlyOnce.told(number, hasChanged ? 'changed' : 'unchanged')
      return
    }
    if (outcome.kind === 'unknown') this.#call(number, { call, calledAt, returned: undefined })
    this.#exactlyOnce.told(number, outcome.kind)
  }

  #call(number: number, call: Call<NumberedCommand, Reply>): void {
    this.#indexes[number] = this.#calls.push(call) - 1
  }

  #react(connector: Connector, life: Life, key: string, event: () => readonly LifeEffect[]): void {
    this.#deciders = []
    const proposer = life.proposerOf(key)
    const effects = event()
    // What an operation's end leads to is an event of its own.
    const deciders = this.#deciders.filter((number) => number >= 0)
    for (const effect of effects) {
      if (effect.kind === 'finish') {
        life.pending.delete(effect.operation)
        this.#tell(() => `c${life.proposerId}  ${effect.operation.name} ends: ${effect.outcome.kind}`)
        effect.operation.onEnd(effect.outcome)
        continue
      }
      const [node, request] = effect.kind === 'send' ? [effect.to, effect.request] : [0, undefined]
      if (request !== undefined) this.#observe(key, request, deciders)
      const kind = request === undefined ? 'timer' : 'request'
      const { token } = effect
      this.parcels.push({ kind, connector, life, key, proposer, node, token, request, saying: undefined })
    }
    life.closeIdle(key)
  }

  #observe(key: string, request: Request, deciders: readonly number[]): void {
    const ledger = this.#ledgers.get(key)!
    if (request.kind === 'accept') ledger.proposed(request.ballot, request.state, deciders)
    else if (request.kind === 'learn') ledger.toldChosen(request.ballot, request.state.writeId)
    else if (request.kind === 'mark') ledger.toldChosen(request.ballot, request.writeId)
  }

  // Network -------------------------------------------------------------------------------------------------

  /** Delivers a parcel, which is no longer among the others. */
  deliver(parcel: Parcel): void {
    this.messageCount += 1
    const { kind, connector, life, key, proposer, node, token, saying } = parcel
    if (kind === 'request') return this.#arrive(parcel)
    if (kind === 'mismatch') {
      if (saying?.kind === 'mismatch' && saying.membership !== undefined)
        this.follow(connector, saying.membership)
      if (!life.isOver) this.#react(connector, life, key, () => proposer.lose(node, token))
      return
    }
    if (life.isOver) return
    if (kind === 'timer') return this.#react(connector, life, key, () => proposer.resume(token))
    if (saying?.kind !== 'answer') return this.#react(connector, life, key, () => proposer.lose(node, token))
    this.#react(connector, life, key, () => proposer.receive(node, token, saying.answer))
  }

  /** It never arrives, or its answer does not: sooner or later that is known. */
  lose(parcel: Parcel): void {
    if (parcel.kind === 'timer') this.parcels.push(parcel)
    else this.parcels.push({ ...parcel, kind: 'loss', saying: undefined })
  }

  #arrive(parcel: Parcel): void {
    const { life, key, node, request } = parcel
    const receiver = this.#nodeOf(life, node)
    if (!receiver.answers) return this.lose(parcel)
    const saying = receiver.handle(life.membership, key, request!)
    this.#tell(() => `c${life.proposerId} → ${receiver.nodeId}  ${key}: ${formatRequest(request!)}`)
    if (saying === undefined) return this.lose(parcel)
    if (saying.kind === 'mismatch') {
      this.#tell(
        () => `${receiver.nodeId} is in epoch ${saying.membership?.epoch}, not ${life.membership.epoch}`,
      )
      this.parcels.push({ ...parcel, kind: 'mismatch', saying })
      return
    }
    const { answer } = saying
    this.#tell(() => `${receiver.nodeId}  ${key}: ${formatAnswer(request!, answer)}`)
    if (request!.kind === 'accept' && answer.ok)
      this.#ledgers.get(key)!.voted(receiver.index, request!.ballot, request!.state)
    if (request!.kind === 'mark') return
    this.#promises.get(key)!.told(receiver.index, answer.record)
    this.parcels.push({ ...parcel, kind: 'answer', saying })
  }

  #nodeOf(life: Life, node: number): ChangingNode {
    return this.nodes[Number(life.nodes[node]!.nodeId.slice(1))]!
  }

  // Memberships ---------------------------------------------------------------------------------------------

  addConnector(membership: Membership): Connector {
    const connector = { life: this.#newLife(membership, new Map()), carrier: undefined }
    this.connectors.push(connector)
    return connector
  }

  /** A connector goes on to a newer epoch, with all that it has not finished. */
  follow(connector: Connector, membership: Membership): void {
    const before = connector.life
    if (membership.epoch <= before.membership.epoch) return
    this.#note(membership)
    const { viewsEnd, attemptsGoOn } = this.#protocol.membership
    const life = this.#newLife(membership, viewsEnd ? new Map() : before.memories)
    this.#tell(() => `c${before.proposerId} goes on as c${life.proposerId} in epoch ${membership.epoch}`)
    before.isOver = true
    connector.life = life
    connector.carrier = undefined
    for (const operation of before.pending) {
      this.#take(connector, attemptsGoOn ? operation : { ...operation, attempts: [] })
    }
  }

  /** A connector asks a node which epoch it is in. */
  discover(connector: Connector, node: ChangingNode): void {
    if (node.answers && node.membership !== undefined) this.follow(connector, node.membership)
  }

  /** A connector reads which membership is chosen. */
  watch(connector: Connector): void {
    const keep = (value: Value): Decision => ({
      kind: 'keep',
      result: value === undefined ? undefined : decodeMembership(value),
    })
    const onEnd = (outcome: Outcome) => {
      const membership = outcome.kind === 'decided' ? (outcome.result as Membership | undefined) : undefined
      if (membership !== undefined) this.#followLater(connector, membership)
    }
    this.#enter(connector, MEMBERSHIP, 'a look at the membership', undefined, keep, onEnd, { isRead: true })
  }

  /** A connector proposes a change, which names `newcomer` or not. */
  change(
    connector: Connector,
    plan: (current: Membership, newcomer: { nodeId: string; address: string }) => ChangePlan,
  ): void {
    const current = connector.life.membership
    const newcomer = memberOf(`n${this.nodes.length}`)
    const planned = requireSpare(
      plan(current, newcomer),
      (nodeId) => this.nodes.find((node) => node.nodeId === nodeId)?.answers === true,
    )
    if (planned.kind === 'refused') return
    const next = planned.membership
    const isNew = next.members.some(({ nodeId }) => nodeId === newcomer.nodeId)
    if (isNew) this.nodes.push(new ChangingNode(this.nodes.length, this.#protocol, undefined))
    this.#propose(connector, current, next, () => undefined)
  }

  /** One of the nodes tells the carrier of a connector what it holds. */
  look(connector: Connector, index: number): void {
    const { life } = connector
    if (!isJoint(life.membership)) return
    connector.carrier ??= new Carrier(life, KEYS, this.#protocol.membership)
    const node = this.#nodeOf(life, index)
    if (!node.answers) return
    if (this.#protocol.membership.doesListAdopt) {
      node.adopt(life.membership)
      if (node.membership?.epoch !== life.membership.epoch) return
    }
    this.#tell(() => `c${life.proposerId}  looks at what ${node.nodeId} holds`)
    this.#want(
      connector,
      connector.carrier.hear(index, (key) => node.record(key)),
    )
  }

  /** A member's disk is gone, if the cluster can live with that. */
  loseDisk(node: ChangingNode): void {
    const { members, outgoing } = this.newest
    if (!isMemberOf(this.newest, node.nodeId)) return
    const configurations = outgoing === undefined ? [members] : [members, outgoing]
    const isSurvived = configurations.every((configuration) => {
      const left = configuration.filter(({ nodeId }) => nodeId !== node.nodeId && !this.isGone(nodeId))
      return left.length >= classicQuorum(configuration.length) && left.length + 1 >= configuration.length
    })
    if (!isSurvived || node.isGone) return
    this.#tell(() => `${node.nodeId} loses its disk`)
    node.isGone = true
  }

  isGone(nodeId: string): boolean {
    return this.nodes[Number(nodeId.slice(1))]!.isGone
  }

  #want(connector: Connector, wants: readonly Want[]): void {
    const { life, carrier } = connector
    for (const want of wants) {
      const isCurrent = () => connector.life === life
      if (want.kind === 'settle') {
        const onEnd = ({ kind }: Outcome) => {
          if (isCurrent()) this.#want(connector, carrier!.settled(want.key, kind === 'decided'))
        }
        this.#enter(connector, want.key, `the seal of ${want.key}`, undefined, keepAll, onEnd, {
          needsRound: true,
        })
      } else {
        const { membership } = life
        this.#propose(connector, membership, finish(membership), () => {
          if (isCurrent()) this.#want(connector, carrier!.notFinished())
        })
      }
    }
  }

  #propose(connector: Connector, current: Membership, next: Membership, onFailure: () => void): void {
    const name = `the change to epoch ${next.epoch}`
    const change = (value: Value) => compareAndSet(value, current, next)
    this.#enter(connector, MEMBERSHIP, name, undefined, change, (outcome) => {
      if (outcome.kind === 'decided') this.#followLater(connector, outcome.result as Membership)
      else onFailure()
    })
  }

  /** Not from within the proposer that tells it. */
  #followLater(connector: Connector, membership: Membership): void {
    this.#note(membership)
    this.#later.push(() => this.follow(connector, membership))
  }

  readonly #later: (() => void)[] = []

  /** What was put off until the event under way is over. */
  runLater(): void {
    for (let task = this.#later.shift(); task !== undefined; task = this.#later.shift()) task()
  }

  #note(membership: Membership): void {
    if (!this.#electorate.chose(membership)) return
    this.changeCount += 1
    this.#tell(() => `epoch ${membership.epoch} is chosen: ${show(membership)}`)
    for (const ledger of this.#ledgers.values()) ledger.reconsider()
  }

  #newLife(membership: Membership, memories: ReadonlyMap<string, Memory>): Life {
    this.#proposerCount += 1
    this.#electorate.began(this.#proposerCount, membership.epoch)
    return new Life(membership, this.#proposerCount, this.#protocol, memories)
  }

  suspect(connector: Connector, node: number, isSuspect: boolean): void {
    const { life } = connector
    if (life.suspects[node] === undefined || life.suspects[node] === isSuspect) return
    life.suspects[node] = isSuspect
    if (!isSuspect) return
    for (const [key, proposer] of life.proposers)
      this.#react(connector, life, key, () => proposer.reconsider())
  }

  /** A connector dies; another one takes its place, in the epoch that some node knows. */
  replace(connector: Connector): void {
    const { life } = connector
    this.#tell(() => `c${life.proposerId} dies`)
    life.isOver = true
    for (const { number, onEnd } of life.pending) if (number !== undefined) onEnd({ kind: 'unknown' })
    connector.life = this.#newLife(life.membership, new Map())
    connector.carrier = undefined
  }

  /** Every node runs, and nobody is suspect. */
  heal(): void {
    for (const node of this.nodes) node.isUp = true
    for (const { life } of this.connectors) life.suspects.fill(false)
  }

  #tell(line: () => string): void {
    this.lines?.push(line())
  }
}

function memberOf(nodeId: string) {
  return { nodeId, address: `${nodeId}:1` }
}

function show({ members, outgoing }: Membership): string {
  const ids = members.map(({ nodeId }) => nodeId).join(' ')
  return outgoing === undefined ? ids : `${outgoing.map(({ nodeId }) => nodeId).join(' ')} → ${ids}`
}
