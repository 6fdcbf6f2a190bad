import type { Ballot } from '../../register/ballot.ts'
import type { Answer, Request } from '../../register/messages.ts'
import type { Operation } from '../../register/operation.ts'
import { type Memory, Proposer, type View } from '../../register/proposer.ts'
import type { Quorums } from '../../register/quorum.ts'
import type { Protocol } from '../protocol.ts'
import type { Recall } from './action.ts'
import type { Command } from './command.ts'

/** A client's operation, and when it was called and answered. */
export type ClientOperation = Operation & {
  readonly number: number
  readonly command: Command
  readonly connector: Connector
  calledAt: number
}

/** Something on its way between a connector and a node, or a timer of the connector. */
export type Parcel = Readonly<{
  id: number
  kind: 'request' | 'answer' | 'loss' | 'timer'
  /** `undefined`: a remover has sent it, and waits for no answer. */
  sender: Sender | undefined
  /** Who has sent it, for a report. */
  name: string
  /** When the oldest thing that it follows from was alive: with that, it dies of a grace time. */
  origin: number
  node: number
  token: number
  request: Request | undefined
  answer: Answer | undefined
}>

export type Sender = Readonly<{ connector: Connector; proposer: Proposer<ClientOperation> }>

/** A view, and since when it may be old. */
export type KnownView = Readonly<{ view: View; origin: number }>

/** One process that runs proposers for the key: one after the other, as the real driver makes and drops them. */
export class Connector {
  readonly proposerId: number
  readonly suspects: boolean[]
  isDead = false
  /** Parcels it has sent: they are numbered. */
  parcelCount = 0
  proposer: Proposer<ClientOperation> | undefined
  /** When the proposer was opened, and how old what it began with may be. */
  openedAt = 0
  origin = 0
  /** The ballot that the proposer has prepared last. */
  prepared: Ballot | undefined
  readonly #protocol: Protocol
  readonly #quorums: Quorums
  readonly #nextSequence: () => number
  #memory: Memory | undefined
  #memoryOrigin = 0
  #sequence = 0
  /** The highest round it has seen or used, which it never forgets. */
  #highestRound = 0
  #turn: number

  constructor(proposerId: number, quorums: Quorums, protocol: Protocol) {
    this.proposerId = proposerId
    this.#quorums = quorums
    this.#protocol = protocol
    this.suspects = Array(quorums.n).fill(false)
    this.#turn = proposerId
    this.#nextSequence = () => {
      this.#sequence += 1
      return this.#sequence
    }
  }

  /**
   * The proposer that takes an operation: the one at work, or a new one that knows what `recall` says, unless that is
   * from before `deadBefore`.
   */
  open(
    recall: Recall,
    views: readonly KnownView[],
    now: number,
    deadBefore: number,
  ): Proposer<ClientOperation> {
    if (this.proposer !== undefined) return this.proposer
    this.#turn += 1
    this.openedAt = now
    const viewOrigin = this.#originOf(recall, views)
    const isDead = viewOrigin < deadBefore
    this.origin = isDead ? now : Math.min(now, viewOrigin)
    this.prepared = undefined
    const known = isDead ? 'forgotten' : recall
    this.proposer = new Proposer<ClientOperation>({
      proposerId: this.proposerId,
      quorums: this.#quorums,
      rules: this.#protocol.rules,
      nextSequence: this.#nextSequence,
      suspects: this.suspects,
      turn: this.#turn,
      memory: this.#recall(known, views),
      roundFloor: known === 'forgotten' ? this.#highestRound : 0,
    })
    return this.proposer
  }

  /** Drops an idle proposer and keeps what it knew; returns the view of it. */
  closeIdle(): KnownView | undefined {
    if (this.proposer === undefined || !this.proposer.isIdle) return undefined
    this.#memory = this.proposer.memory
    this.#memoryOrigin = this.openedAt
    this.#highestRound = Math.max(this.#highestRound, this.#memory.highestRound)
    this.proposer = undefined
    const { view } = this.#memory
    return view === undefined ? undefined : { view, origin: this.openedAt }
  }

  #originOf(recall: Recall, views: readonly KnownView[]): number {
    if (recall === 'own') return this.#memory === undefined ? Number.POSITIVE_INFINITY : this.#memoryOrigin
    if (recall === 'forgotten' || recall === 'no view') return Number.POSITIVE_INFINITY
    return views[recall]?.origin ?? Number.POSITIVE_INFINITY
  }

  #recall(recall: Recall, views: readonly KnownView[]): Memory | undefined {
    if (recall === 'own') return this.#memory
    if (recall === 'forgotten') return undefined
    const highestRound = this.#highestRound
    const view = recall === 'no view' ? undefined : views[recall]?.view
    if (view === undefined) return { view, highestRound }
    // As a read would have given it: a ballot that some connector leads is for that one alone, and once.
    return { view: { state: view.state, next: { round: view.next.round, proposerId: 0 } }, highestRound }
  }
}
