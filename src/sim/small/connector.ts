import type { Ballot } from '../../register/ballot.ts'
import type { Answer, Request } from '../../register/messages.ts'
import type { Operation, Outcome } from '../../register/operation.ts'
import { type Memory, Proposer, type View } from '../../register/proposer.ts'
import type { Protocol } from '../protocol.ts'
import type { Recall } from './action.ts'
import type { Command } from './command.ts'
import type { Epoch } from './epoch.ts'
import type { Transfer } from './transfer.ts'

/** A client's operation, and when it was called; or a round that a transfer waits for. */
export type ClientOperation = Operation & {
  readonly number: number
  readonly command: Command
  /** Who works on it: in another epoch, another. */
  connector: Connector
  calledAt: number
  /** Of a round that no client has asked for: who is told how it ended. */
  readonly onEnd?: (outcome: Outcome) => void
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
  /** It is for a node in this epoch. */
  epoch: Epoch
  node: number
  token: number
  request: Request | undefined
  answer: Answer | undefined
}>

export type Sender = Readonly<{ connector: Connector; proposer: Proposer<ClientOperation> }>

/** A view, and since when it may be old. It holds in its epoch alone. */
export type KnownView = Readonly<{ view: View; origin: number; epoch: Epoch }>

/**
 * One process in one epoch. It runs proposers for the key: one after the other, as the real driver makes and
 * drops them.
 */
export class Connector {
  readonly proposerId: number
  readonly epoch: Epoch
  /** By the index of the node in the epoch. */
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
  /** In a joint epoch, once it has begun one. */
  transfer: Transfer | undefined
  readonly #protocol: Protocol
  readonly #nextSequence: () => number
  #memory: Memory | undefined
  #memoryOrigin = 0
  #sequence = 0
  /** The highest round it has seen or used, which it never forgets. */
  #highestRoundNumber = 0
  #turn: number

  constructor(proposerId: number, epoch: Epoch, protocol: Protocol) {
    this.proposerId = proposerId
    this.epoch = epoch
    this.#protocol = protocol
    this.suspects = Array(epoch.quorums.n).fill(false)
    this.#turn = proposerId
    this.#nextSequence = () => {
      this.#sequence += 1
      return this.#sequence
    }
  }

  /**
   * The proposer that takes an operation: the one at work, or a new one that knows what `wanted` says, unless
   * that is from before `deadBefore`, or of another epoch.
   */
  open(
    wanted: Recall,
    views: readonly KnownView[],
    now: number,
    deadBefore: number,
  ): Proposer<ClientOperation> {
    if (this.proposer !== undefined) return this.proposer
    this.#turn += 1
    this.openedAt = now
    const isForeign = typeof wanted === 'number' && views[wanted]?.epoch !== this.epoch
    const recall = isForeign ? 'forgotten' : wanted
    const viewOrigin = this.#originOf(recall, views)
    const isDead = viewOrigin < deadBefore
    this.origin = isDead ? now : Math.min(now, viewOrigin)
    this.prepared = undefined
    const known = isDead ? 'forgotten' : recall
    this.proposer = new Proposer<ClientOperation>({
      proposerId: this.proposerId,
      quorums: this.epoch.quorums,
      rules: this.#protocol.rules,
      nextSequence: this.#nextSequence,
      suspects: this.suspects,
      turn: this.#turn,
      memory: this.#recall(known, views),
      roundNumberFloor: known === 'forgotten' ? this.#highestRoundNumber : 0,
    })
    return this.proposer
  }

  /** Drops an idle proposer and keeps what it knew; returns the view of it. */
  closeIdle(): KnownView | undefined {
    if (this.proposer === undefined || !this.proposer.isIdle) return undefined
    this.#memory = this.proposer.memory
    this.#memoryOrigin = this.openedAt
    this.#highestRoundNumber = Math.max(this.#highestRoundNumber, this.#memory.highestRoundNumber)
    this.proposer = undefined
    const { view } = this.#memory
    return view === undefined ? undefined : { view, origin: this.openedAt, epoch: this.epoch }
  }

  #originOf(recall: Recall, views: readonly KnownView[]): number {
    if (recall === 'own') return this.#memory === undefined ? Number.POSITIVE_INFINITY : this.#memoryOrigin
    if (recall === 'forgotten' || recall === 'no view') return Number.POSITIVE_INFINITY
    return views[recall]?.origin ?? Number.POSITIVE_INFINITY
  }

  #recall(recall: Recall, views: readonly KnownView[]): Memory | undefined {
    if (recall === 'own') return this.#memory
    if (recall === 'forgotten') return undefined
    const highestRoundNumber = this.#highestRoundNumber
    const view = recall === 'no view' ? undefined : views[recall]?.view
    if (view === undefined) return { view, highestRoundNumber }
    // As a read would have given it: a ballot that some connector leads is for that one alone, and once.
    return {
      view: { state: view.state, next: { round: view.next.round, proposerId: 0 } },
      highestRoundNumber,
    }
  }
}
