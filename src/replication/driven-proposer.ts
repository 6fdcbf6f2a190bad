import { Proposer } from '../register/proposer.ts'
import type { Round } from '../register/round.ts'
import { diverge, type Replica } from './divergence.ts'
import type { PendingOperation } from './pending-operation.ts'

/** A proposer that lets its driver compare the answers to a read with each other. */
export class DrivenProposer extends Proposer<PendingOperation> {
  /** The first answer to the reads of a round. The others are compared with it. */
  #first: Readonly<{ round: Round; found: Replica }> | undefined

  /**
   * A node has answered a read of `round`. Returns the first answer to that round, if this one contradicts
   * it.
   */
  compareRead(round: Round, found: Replica): Replica | undefined {
    if (this.#first?.round !== round) {
      this.#first = { round, found }
      return undefined
    }
    return diverge(this.#first.found.record, found.record) ? this.#first.found : undefined
  }
}
