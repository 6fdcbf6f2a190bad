import type { Ledger } from './ledger.ts'
import { Violation } from './violation.ts'

/**
 * What a client was told of its operation: that it changed something, that it changed nothing, or that nobody
 * knows. `not_applied` promises that it never will.
 */
export type Told = 'changed' | 'unchanged' | 'not_applied' | 'unknown'

/** What a client is told must be true of the chosen states, when it is told and ever after. */
export class ExactlyOnce {
  readonly #ledger: Ledger
  readonly #told = new Map<number, Told>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  told(operation: number, told: Told): void {
    if (this.#told.has(operation)) {
      throw new Violation('an operation ends once', `operation ${operation} ended twice`)
    }
    this.#told.set(operation, told)
    this.#check(operation, told)
  }

  /** At the end of a run: of all operations, those that never ended included. */
  checkAll(operationCount: number): void {
    for (let operation = 0; operation < operationCount; operation += 1) {
      this.#check(operation, this.#told.get(operation) ?? 'unknown')
    }
  }

  #check(operation: number, told: Told): void {
    const times = this.#ledger.timesHappened(operation)
    const isTrue = told === 'changed' ? times === 1 : told === 'unknown' ? times <= 1 : times === 0
    if (isTrue) return
    throw new Violation(
      'exactly once',
      `operation ${operation} was told ${told}, and happened ${times} times`,
    )
  }
}
