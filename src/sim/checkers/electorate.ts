/**
 * Who decides in which epoch, seen from outside: with arithmetic of its own, and by the memberships that were
 * chosen. The epoch of a ballot is that of the proposer it belongs to; of a fast one, that of whoever
 * proposed the state.
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
   * @param birthCount how many nodes must all agree to the first membership; 0: it is there from the start
   */
  constructor(birthCount = 0) {
    this.#birthCount = birthCount
  }

  /** A membership is chosen. Returns whether that is news. */
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

  /** A proposer works in an epoch, and in no other; in epoch 0 where the cluster is yet to be born. */
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
   * What a ballot of a joint epoch has gathered counts in the next epoch too, if that is of one of its sides:
   * what is enough there is chosen then. Fast ballots are of one epoch alone.
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
