import { type Ballot, PLAUSIBLE_ROUND_MAX, ROUND_MAX } from './ballot.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from './quorum.ts'

/**
 * The round numbers that a proposer knows for its key, and the next one to use.
 *
 * The next ballot is above every promise, so that all nodes take it. But an implausibly high promise was made
 * by a fault (protocol.md §4.7). The next ballot exceeds it only if there is no classic quorum without its
 * node: otherwise one node could use up the round numbers of every key.
 */
export class RoundNumbers {
  readonly #quorums: Quorums
  #highest: number
  /** The implausible promises, at the index of the node, 0 for the others; `undefined`: there are none. */
  #implausible: number[] | undefined

  constructor(quorums: Quorums, highest: number) {
    this.#quorums = quorums
    this.#highest = highest
  }

  /** The highest round number that was used, or promised and plausible. */
  get highest(): number {
    return this.#highest
  }

  /** This proposer uses the ballot. */
  noteOwn({ round }: Ballot): void {
    if (round > this.#highest) this.#highest = round
  }

  /** A node has promised a ballot with this round number, or may have. */
  notePromise(node: number, round: number): void {
    if (round <= this.#highest) return
    if (round <= PLAUSIBLE_ROUND_MAX) this.#highest = round
    else {
      this.#implausible ??= Array(this.#quorums.n).fill(0)
      this.#implausible[node] = round
    }
  }

  /**
   * Draws the round number of the next classic ballot. `undefined`: none is left. (The highest round number
   * can only be the `next` of an accept.)
   */
  draw(): number | undefined {
    const drawn =
      1 + (this.#implausible === undefined ? this.#highest : this.#leastOfQuorum(this.#implausible))
    if (drawn >= ROUND_MAX) return undefined
    this.#highest = drawn
    return drawn
  }

  /**
   * The smallest round number, at least `#highest`, above which a classic quorum of nodes has promised
   * nothing.
   */
  #leastOfQuorum(promised: readonly number[]): number {
    const candidates = [this.#highest, ...promised.filter((round) => round > this.#highest)]
    const least = candidates
      .sort((a, b) => a - b)
      .find((candidate) => {
        const nodes = promised.reduce<NodeSet>(
          (set, round, node) => (round <= candidate ? set | (1 << node) : set),
          0,
        )
        return isClassicQuorum(nodes, this.#quorums)
      })
    return least ?? this.#highest
  }
}
