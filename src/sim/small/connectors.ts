import type { Outcome } from '../../register/operation.ts'
import type { Effect } from '../../register/proposer.ts'
import type { Recall } from './action.ts'
import { type Command, decide } from './command.ts'
import { Connector, type KnownView, type Session, type WorldOperation } from './connector.ts'
import { type Epoch, formatEpoch, nodeIdOf } from './epoch.ts'
import { GROUP } from './key.ts'
import type { Parcel } from './network.ts'
import type { Stage } from './stage.ts'

/** The number of views that later proposers may be given; the oldest views are kept. */
const VIEWS_MAX = 64

/** An operation that a connector runs on a register for its own purposes. */
export type OwnOperation = Pick<WorldOperation, 'key' | 'name' | 'decide' | 'needsRound' | 'isRead'> &
  Readonly<{
    /**
     * `connector`: the connector that continues the work of the one that asked. `onEnd` is not called if the
     * process has died.
     */
    onEnd: (outcome: Outcome, connector: Connector) => void
  }>

/** The connectors of a world, and the operations that they work on. */
export class Connectors {
  readonly list: Connector[] = []
  /** Operations that have begun and not ended. */
  readonly pending: WorldOperation[] = []
  /**
   * Every view of the clients' key that a connector held when it became idle. Their states were known to be
   * chosen.
   */
  readonly views: KnownView[] = []
  readonly #stage: Stage
  #proposerCount = 0
  #ownCount = 0
  /** The clients' operations that have decided to change something since the event under way began. */
  #deciders: number[] = []
  /** What follows from the end of operations. These are separate events, after the one under way. */
  readonly #later: (() => void)[] = []

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** Draws an id that no other proposer ever uses in a ballot. */
  newProposerId(): number {
    this.#proposerCount += 1
    return this.#proposerCount
  }

  /** A connector starts, in an epoch. */
  add(epoch: Epoch): Connector {
    const connector = this.#newConnector(this.list.length, epoch)
    this.list.push(connector)
    return connector
  }

  /** A connector dies with all operations that it has not answered. Another one replaces it. */
  replace(index: number): void {
    const { teller } = this.#stage
    const before = this.list[index]
    if (before === undefined) return
    before.isDead = true
    const connector = this.#newConnector(index, before.epoch)
    teller?.note(`${before.name} dies; ${connector.name} takes its place`)
    for (const operation of this.#operationsOf(before)) {
      if (operation.number >= 0) this.#finish(operation, { kind: 'unknown' })
      else this.#take(operation)
    }
    this.list[index] = connector
  }

  /**
   * A connector moves to a newer epoch, as `RegisterClient.retire` does: another client with another id
   * continues everything that is under way.
   */
  follow(before: Connector, epoch: Epoch): void {
    const { place } = before
    if (before.isDead || epoch.number <= before.epoch.number) return
    const { viewsEnd, attemptsGoOn } = this.#stage.protocol.membership
    const connector = this.#newConnector(place, epoch)
    this.#stage.teller?.note(`${before.name} follows to ${formatEpoch(epoch)}, as ${connector.name}`)
    before.isDead = true
    before.successor = connector
    this.list[place] = connector
    if (!viewsEnd) for (const driver of connector.drivers) driver.inherit(before.drivers[driver.key]!)
    for (const operation of this.#operationsOf(before)) {
      this.#take(operation)
      operation.connector = connector
      if (!attemptsGoOn) operation.attempts = []
      this.#begin(operation, 'own')
    }
  }

  suspect(connector: Connector, node: number, isSuspect: boolean): void {
    const index = connector.epoch.nodes.indexOf(node)
    if (index < 0 || connector.suspects[index] === isSuspect) return
    const verb = isSuspect ? 'suspects' : 'no longer suspects'
    this.#stage.teller?.note(`${connector.name}  ${verb} ${nodeIdOf(node)}`)
    connector.suspects[index] = isSuspect
    if (!isSuspect) return
    for (const { session } of connector.drivers)
      if (session !== undefined) this.#react(session, () => session.proposer.reconsider())
  }

  // Operations ----------------------------------------------------------------------------------------------

  /** A client hands an operation to a connector. */
  submit(connector: Connector, number: number, command: Command, recall: Recall): void {
    const { time, oracle, teller } = this.#stage
    const operation: WorldOperation = {
      number,
      key: GROUP,
      name: `operation ${number}`,
      connector,
      calledAt: time.now,
      attempts: [],
      needsRound: command.kind === 'settle',
      isRead: command.kind === 'read',
      decide: (value) => {
        const decision = decide(command, number, value)
        if (decision.kind === 'propose') this.#deciders.push(number)
        return decision
      },
      onEnd: (outcome) => {
        teller?.answered(operation, outcome)
        if (outcome.kind === 'decided') time.now += 1
        oracle.answered(number, command, operation.calledAt, outcome, time.now)
      },
    }
    teller?.called(operation, command)
    this.#begin(operation, recall)
  }

  /** A connector asks something of a register for itself. */
  submitOwn(connector: Connector, own: OwnOperation): void {
    const { time, teller } = this.#stage
    this.#ownCount += 1
    teller?.note(`${connector.name}  begins ${own.name}`)
    const operation: WorldOperation = {
      ...own,
      number: -this.#ownCount,
      connector,
      calledAt: time.now,
      attempts: [],
      onEnd: (outcome) => {
        teller?.note(`${operation.connector.name}  ends ${own.name}: ${outcome.kind}`)
        this.#later.push(() => {
          const current = currentOf(operation.connector)
          if (!current.isDead) own.onEnd(outcome, current)
        })
      },
    }
    this.#begin(operation, 'own')
  }

  /** The time of an operation is over. */
  expire(number: number): void {
    const operation = this.pending.find((candidate) => candidate.number === number)
    if (operation === undefined) return
    const { connector, name } = operation
    this.#stage.teller?.note(`${connector.name}  the time of ${name} is over`)
    this.#expire(operation)
  }

  /** The time is over for all operations that depend on something from before `since`. */
  expireOlder(since: number): void {
    for (const { drivers } of this.list) {
      for (const { session, connector, key } of drivers) {
        if (session === undefined || session.origin >= since) continue
        for (const operation of this.#operationsOf(connector))
          if (operation.key === key) this.#expire(operation)
      }
    }
  }

  /** A message of a session is answered or lost, or one of its timers has run. */
  receive(session: Session, { kind, node, token, answer }: Parcel): void {
    const { proposer, connector } = session
    if (kind === 'timer') return this.#react(session, () => proposer.resume(token))
    const from = connector.epoch.nodes.indexOf(node)
    if (kind === 'answer') this.#react(session, () => proposer.receive(from, token, answer!))
    else this.#react(session, () => proposer.lose(from, token))
  }

  /** Does what follows from operations that have ended. */
  runLater(): void {
    while (this.#later.length > 0) this.#later.shift()!()
  }

  #begin(operation: WorldOperation, recall: Recall): void {
    const { time } = this.#stage
    const { connector, key, calledAt } = operation
    this.pending.push(operation)
    const session = connector.drivers[key]!.open(recall, this.views, time.now, time.deadBefore)
    // The session dies in a grace time together with its oldest operation, which may have begun in an older
    // epoch.
    session.origin = Math.min(session.origin, calledAt)
    this.#react(session, () => session.proposer.submit(operation))
  }

  #expire(operation: WorldOperation): void {
    const session = operation.connector.drivers[operation.key]!.session!
    this.#react(session, () => session.proposer.expire(operation))
  }

  #operationsOf(connector: Connector): WorldOperation[] {
    return this.pending.filter((operation) => operation.connector === connector)
  }

  #take(operation: WorldOperation): void {
    this.pending.splice(this.pending.indexOf(operation), 1)
  }

  #finish(operation: WorldOperation, outcome: Outcome): void {
    this.#take(operation)
    operation.onEnd(outcome)
  }

  /** Lets a proposer react to an event, and carries out the effects. */
  #react(session: Session, event: () => readonly Effect<WorldOperation>[]): void {
    const { oracle, network } = this.#stage
    const { driver, connector } = session
    const { key } = driver
    this.#deciders = []
    for (const effect of event()) {
      if (effect.kind === 'send') {
        const { to, token, request } = effect
        oracle.sent(key, request, this.#deciders)
        if (request.kind === 'prepare') session.prepared = request.ballot
        network.send('request', session, key, connector.epoch.nodes[to]!, token, request)
      } else if (effect.kind === 'finish') this.#finish(effect.operation, effect.outcome)
      else network.send('timer', session, key, 0, effect.token, undefined)
    }
    const view = driver.session === session ? driver.closeIdle() : undefined
    if (view !== undefined && key === GROUP && this.views.length < VIEWS_MAX) this.views.push(view)
  }

  #newConnector(place: number, epoch: Epoch): Connector {
    const { protocol, oracle } = this.#stage
    const connector = new Connector(this.newProposerId(), place, epoch, protocol)
    oracle.began(connector.proposerId, epoch)
    return connector
  }
}

/** The connector that continues the work of this one, in the newest epoch that its process knows. */
function currentOf(connector: Connector): Connector {
  let current = connector
  while (current.successor !== undefined) current = current.successor
  return current
}
