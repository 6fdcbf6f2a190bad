import { type Call, linearize } from '../../linearizability/linearizability.ts'
import { Violation } from '../checkers/violation.ts'
import { PAIR_MODEL, type PairCommand, type PairSeen } from '../members/pair-model.ts'

type Operation = { readonly command: PairCommand; readonly calledAt: number; call: PairCall | undefined }
type PairCall = Call<PairCommand, PairSeen>

/** What clients did to one member of a group, and what they saw. */
export class MemberHistory {
  readonly #name: string
  readonly #operations: Operation[] = []

  /** @param name the pair of group and member, for the report */
  constructor(name: string) {
    this.#name = name
  }

  /** A client calls, at a time that no other event of the group has. Returns the number of the operation. */
  called(command: PairCommand, calledAt: number): number {
    return this.#operations.push({ command, calledAt, call: undefined }) - 1
  }

  /**
   * An operation has ended. `seen`: what its client saw; `undefined`: the client does not know. Do not call
   * it for an operation that has changed nothing and was answered nothing.
   */
  ended(operation: number, at: number, seen: PairSeen | undefined): void {
    const entry = this.#operations[operation]!
    const { command, calledAt } = entry
    if (seen === undefined && command.kind === 'read') return
    const returned = seen === undefined ? undefined : { at, result: seen }
    entry.call = { call: command, calledAt, returned }
  }

  /**
   * Checks the history at the end, together with what was done to the group. @throws {Violation}
   *
   * @returns whether the search has come to an end
   */
  finish(ofGroup: readonly PairCall[]): boolean {
    const ofMember = this.#operations.flatMap(({ call }) => call ?? [])
    if (ofMember.length === 0) return true
    const { kind } = linearize(PAIR_MODEL, [...ofGroup, ...ofMember])
    if (kind === 'none') {
      throw new Violation(
        'the history of members is linearizable',
        `${this.#name}: none of ${ofMember.length} calls, and ${ofGroup.length} of the group`,
      )
    }
    return kind === 'found'
  }
}
