/**
 * Says which votes choose a state in which epoch. It knows the memberships that were chosen, and computes
 * quorums with arithmetic of its own, which shares nothing with the program. A classic ballot belongs to the
 * epoch of its proposer; a fast ballot, to the epoch of the proposer that proposed the state.
 */
import { Violation } from './violation.ts'

type MembershipLike = Readonly<{
  epoch: number
  members: readonly Readonly<{ nodeId: string }>[]
  outgoing?: readonly Readonly<{ nodeId: string }>[]
}>

export class ChangingElectorate {
  /** By epoch. */
  readonly #chosen = new Map<number, MembershipLike>()
  readonly #epochs = new Map<number, number>()
  readonly #birthCount: number

  /**
   * @param birthCount the number of nodes that must all agree to the first membership; 0: that membership
   *   exists from the start
   */
  constructor(birthCount = 0) {
    this.#birthCount = birthCount
  }

  /** A membership was chosen. Returns whether this was not known before. */
  chose(membership: MembershipLike): boolean {
    const known = this.#chosen.get(membership.epoch)
    if (known === undefined) {
      this.#chosen.set(membership.epoch, membership)
      return true
    }
    if (idsOf(known) === idsOf(membership)) return false
    throw new Violation('one membership per epoch', `epoch ${membership.epoch} has two memberships`)
  }

  get newest(): MembershipLike {
    return this.#chosen.get(Math.max(...this.#chosen.keys()))!
  }

  /** A proposer works in this epoch and in no other. Before the cluster is formed, this is epoch 0. */
  began(proposerId: number, epoch: number): void {
    const known = this.#epochs.get(proposerId)
    if (known !== undefined && known !== epoch)
      throw new Violation(
        'a proposer has one epoch',
        `${proposerId} works in the epochs ${known} and ${epoch}`,
      )
    this.#epochs.set(proposerId, epoch)
  }

  /**
   * The votes for a ballot of a joint epoch count in the next epoch too, if its members are one of the two
   * sides of the joint epoch: a state that has enough votes there is chosen. A fast ballot counts in one
   * epoch only.
   */
  isEnough(voters: number, ballot: Readonly<{ proposerId: number }>, writer: number): boolean {
    const isFast = ballot.proposerId === 0
    const epoch = this.#epochs.get(isFast ? writer : ballot.proposerId)
    if (epoch === undefined) return false
    if (epoch === 0 && bitCount(voters) === this.#birthCount) return true
    let membership = this.#chosen.get(epoch === 0 && !isFast ? 1 : epoch)
    if (membership === undefined) return false
    if (isFast) return holds(voters, membership.members, (count, n) => 4 * count >= 3 * n)
    while (membership !== undefined) {
      if (isMajority(voters, membership)) return true
      if (membership.outgoing === undefined) return false
      membership = this.#chosen.get(membership.epoch + 1)
    }
    return false
  }
}

function idsOf({ members, outgoing = [] }: MembershipLike): string {
  return [members, outgoing].map((nodes) => nodes.map(({ nodeId }) => nodeId).join(' ')).join(' / ')
}

function bitCount(set: number): number {
  let count = 0
  for (let rest = set; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

function isMajority(voters: number, { members, outgoing }: MembershipLike): boolean {
  const more = (count: number, n: number) => 2 * count > n
  return holds(voters, members, more) && (outgoing === undefined || holds(voters, outgoing, more))
}

function holds(
  voters: number,
  members: readonly Readonly<{ nodeId: string }>[],
  isEnough: (count: number, n: number) => boolean,
): boolean {
  const count = members.filter(({ nodeId }) => (voters >> Number(nodeId.slice(1))) % 2 === 1).length
  return isEnough(count, members.length)
}
