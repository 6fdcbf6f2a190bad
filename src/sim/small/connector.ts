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
  connector: Connector
  proposer: Proposer<ClientOperation>
  node: number
  token: number
  request: Request | undefined
  answer: Answer | undefined
}>

/** One process that runs proposers for the key: one after the other, as the real driver makes and drops them. */
export class Connector {
  readonly proposerId: number
  readonly suspects: boolean[]
  isDead = false
  /** Parcels it has sent: they are numbered. */
  parcelCount = 0
  proposer: Proposer<ClientOperation> | undefined
  readonly #protocol: Protocol
  readonly #quorums: Quorums
  readonly #nextSequence: () => number
  #memory: Memory | undefined
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

  /** The proposer that takes an operation: the one at work, or a new one that knows what `recall` says. */
  open(recall: Recall, views: readonly View[]): Proposer<ClientOperation> {
    if (this.proposer !== undefined) return this.proposer
    this.#turn += 1
    this.proposer = new Proposer<ClientOperation>({
      proposerId: this.proposerId,
      quorums: this.#quorums,
      rules: this.#protocol.rules,
      nextSequence: this.#nextSequence,
      suspects: this.suspects,
      turn: this.#turn,
      memory: this.#recall(recall, views),
      roundFloor: recall === 'forgotten' ? this.#highestRound : 0,
    })
    return this.proposer
  }

  /** Drops an idle proposer and keeps what it knew; returns the view of it. */
  closeIdle(): View | undefined {
    if (this.proposer === undefined || !this.proposer.isIdle) return undefined
    this.#memory = this.proposer.memory
    this.#highestRound = Math.max(this.#highestRound, this.#memory.highestRound)
    this.proposer = undefined
    return this.#memory.view
  }

  #recall(recall: Recall, views: readonly View[]): Memory | undefined {
    if (recall === 'own') return this.#memory
    if (recall === 'forgotten') return undefined
    const highestRound = this.#highestRound
    const view = recall === 'no view' ? undefined : views[recall]
    if (view === undefined) return { view, highestRound }
    // As a read would have given it: a ballot that some connector leads is for that one alone, and once.
    return { view: { state: view.state, next: { round: view.next.round, proposerId: 0 } }, highestRound }
  }
}
