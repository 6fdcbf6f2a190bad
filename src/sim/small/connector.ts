import type { Claim } from '../../membership/confirmation.ts'
import type { Ballot } from '../../register/ballot.ts'
import type { Operation, Outcome } from '../../register/operation.ts'
import { type Memory, Proposer, type View } from '../../register/proposer.ts'
import type { Protocol } from '../protocol.ts'
import type { Recall } from './action.ts'
import type { Epoch } from './epoch.ts'
import { GROUP, type Key, MEMBERSHIP } from './key.ts'
import type { Transfer } from './transfer.ts'

/** An operation on a key, of a client or of a connector itself. */
export type WorldOperation = Operation & {
  /** Clients' operations are numbered from 0; those of connectors have numbers below 0. */
  readonly number: number
  readonly key: Key
  /** For a report. */
  readonly name: string
  /** The connector that works on it; in each epoch it is another object. */
  connector: Connector
  readonly calledAt: number
  readonly onEnd: (outcome: Outcome) => void
}

/** A view, and the time from which on it may be out of date. It is valid in its epoch only. */
export type KnownView = Readonly<{ view: View; origin: number; epoch: Epoch }>

/** One process in one epoch. */
export class Connector {
  readonly proposerId: number
  readonly name: string
  /** Which of the world's processes it is: the same in every epoch. */
  readonly place: number
  readonly epoch: Epoch
  readonly protocol: Protocol
  /** By the index of the node in the epoch. */
  readonly suspects: boolean[]
  /** By key. */
  readonly drivers: readonly KeyDriver[]
  /** Whether it has stopped: its process has died, or works in a newer epoch with another `Connector`. */
  isDead = false
  /** The connector that continues all its work in a newer epoch. */
  successor: Connector | undefined
  /** The transfer of its joint epoch, if it has begun one. */
  transfer: Transfer | undefined
  /** Whether it is reading which membership is chosen. */
  isWatching = false
  /** By nodeId: what nodes that did not act on its messages have reported about themselves. */
  readonly claims = new Map<string, Claim>()
  /** The highest round that it has seen or used. It never forgets this number. */
  highestRoundNumber = 0
  readonly nextSequence: () => number
  #sequence = 0
  #turn: number
  #parcelCount = 0

  constructor(proposerId: number, place: number, epoch: Epoch, protocol: Protocol) {
    this.proposerId = proposerId
    this.place = place
    this.name = `c${proposerId}`
    this.epoch = epoch
    this.protocol = protocol
    this.suspects = Array(epoch.handover.quorums.n).fill(false)
    this.drivers = [new KeyDriver(this, GROUP), new KeyDriver(this, MEMBERSHIP)]
    this.#turn = proposerId
    this.nextSequence = () => {
      this.#sequence += 1
      return this.#sequence
    }
  }

  /**
   * Each sender numbers its own parcels, so that leaving out a step changes no other sender's numbers.
   */
  nextParcelId(): number {
    this.#parcelCount += 1
    return this.proposerId * 65_536 + this.#parcelCount
  }

  /** The node that the reads of the next proposer ask first. */
  nextTurn(): number {
    this.#turn += 1
    return this.#turn
  }
}

/** The work of one proposer, from its first operation until it is idle. */
export class Session {
  readonly connector: Connector
  readonly driver: KeyDriver
  readonly proposer: Proposer<WorldOperation>
  readonly openedAt: number
  /** The time of the oldest view or operation that its messages depend on. */
  origin: number
  /** The last ballot that it has prepared. */
  prepared: Ballot | undefined

  constructor(driver: KeyDriver, proposer: Proposer<WorldOperation>, openedAt: number, origin: number) {
    this.connector = driver.connector
    this.driver = driver
    this.proposer = proposer
    this.openedAt = openedAt
    this.origin = origin
  }
}

/**
 * What a connector does with one key: sessions, one after the other, as the real driver makes and drops
 * proposers.
 */
export class KeyDriver {
  readonly connector: Connector
  readonly key: Key
  session: Session | undefined
  #memory: Memory | undefined
  #memoryOrigin = 0

  constructor(connector: Connector, key: Key) {
    this.connector = connector
    this.key = key
  }

  /**
   * The session that takes an operation: the one at work, or a new one that knows what `wanted` says, unless
   * that is from before `deadBefore`, or of another epoch.
   */
  open(wanted: Recall, views: readonly KnownView[], now: number, deadBefore: number): Session {
    if (this.session !== undefined) return this.session
    const { proposerId, epoch, protocol, suspects, nextSequence, highestRoundNumber } = this.connector
    const isForeign = typeof wanted === 'number' && views[wanted]?.epoch !== epoch
    const recall = isForeign ? 'forgotten' : wanted
    const viewOrigin = this.#originOf(recall, views)
    const isDead = viewOrigin < deadBefore
    const known = isDead ? 'forgotten' : recall
    const proposer = new Proposer<WorldOperation>({
      proposerId,
      quorums: epoch.handover.quorums,
      rules: protocol.rules,
      nextSequence,
      suspects,
      turn: this.connector.nextTurn(),
      memory: this.#recall(known, views),
      roundNumberFloor: known === 'forgotten' ? highestRoundNumber : 0,
    })
    this.session = new Session(this, proposer, now, isDead ? now : Math.min(now, viewOrigin))
    return this.session
  }

  /** Ends the session if its proposer is idle, and keeps what the proposer knew. Returns its view. */
  closeIdle(): KnownView | undefined {
    if (this.session === undefined || !this.session.proposer.isIdle) return undefined
    const { connector } = this
    const { proposer, openedAt } = this.session
    this.#memory = proposer.memory
    this.#memoryOrigin = openedAt
    connector.highestRoundNumber = Math.max(connector.highestRoundNumber, this.#memory.highestRoundNumber)
    this.session = undefined
    const { view } = this.#memory
    return view === undefined ? undefined : { view, origin: openedAt, epoch: connector.epoch }
  }

  /** Takes over what the driver of an older epoch remembers. The real driver does not do this. */
  inherit(before: KeyDriver): void {
    this.#memory = before.#memory
    this.#memoryOrigin = before.#memoryOrigin
  }

  #originOf(recall: Recall, views: readonly KnownView[]): number {
    if (recall === 'own') return this.#memory === undefined ? Number.POSITIVE_INFINITY : this.#memoryOrigin
    if (recall === 'forgotten' || recall === 'no view') return Number.POSITIVE_INFINITY
    return views[recall]?.origin ?? Number.POSITIVE_INFINITY
  }

  #recall(recall: Recall, views: readonly KnownView[]): Memory | undefined {
    if (recall === 'own') return this.#memory
    if (recall === 'forgotten') return undefined
    const { highestRoundNumber } = this.connector
    const view = recall === 'no view' ? undefined : views[recall]?.view
    if (view === undefined) return { view, highestRoundNumber }
    // The same view as after a read: only the connector that leads a ballot may use that ballot, and only
    // once.
    return {
      view: { state: view.state, next: { round: view.next.round, proposerId: 0 } },
      highestRoundNumber,
    }
  }
}
