import { Violation } from './violation.ts'

type BallotLike = Readonly<{ round: number; proposerId: number }>

/**
 * Checks that no node takes back a promise: what a node has told a connector stays true, through every crash.
 */
export class Promises {
  readonly #told: (BallotLike | undefined)[] = []
  readonly #isDropping: boolean[] = []

  /** A node has dropped a stub. From now on it may answer as if it had never promised anything. */
  dropped(node: number): void {
    this.#told[node] = undefined
  }

  /** The same, but answers that the node gave before the drop may still be reported after it. */
  dropping(node: number): void {
    this.#isDropping[node] = true
  }

  /** A node answers with a record. */
  told(node: number, record: Readonly<{ promised: BallotLike; accepted: BallotLike | undefined }>): void {
    const { promised, accepted } = record
    const before = this.#told[node]
    if (before !== undefined && isBelow(promised, before) && this.#isDropping[node]) {
      this.#isDropping[node] = false
    } else if (before !== undefined && isBelow(promised, before)) {
      const text = `node ${node} promised ${before.round}.${before.proposerId}, then only ${promised.round}.${promised.proposerId}`
      throw new Violation('no promise is taken back', text)
    }
    if (accepted !== undefined && !isBelow(accepted, promised)) {
      throw new Violation(
        'an accept promises',
        `node ${node} accepted a ballot that is not below its promise`,
      )
    }
    this.#told[node] = promised
  }
}

function isBelow(a: BallotLike, b: BallotLike): boolean {
  return a.round < b.round || (a.round === b.round && a.proposerId < b.proposerId)
}
