import type { Ledger } from './ledger.ts'
import { Violation } from './violation.ts'

/**
 * What a client was told about its operation: that it changed something, that it changed nothing, or that the
 * outcome is not known. `not_applied` promises that the operation will never change anything.
 */
export type Told = 'changed' | 'unchanged' | 'not_applied' | 'unknown'

/** Checks that what a client is told is true of the chosen states, at that time and at every later time. */
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

  /** Checks all operations at the end of a run, including those that never ended. */
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
