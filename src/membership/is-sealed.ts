import { isFastBallot } from '../register/ballot.ts'
import { candidatesAt, highestAccepted, type Records } from '../register/known-chosen.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from '../register/quorum.ts'

/**
 * Whether a key is sealed, so that it needs nothing more before a joint epoch ends. A key is sealed if the
 * highest accepted ballot is a classic one, and classic quorums of both memberships and every joining node
 * have accepted the key at that ballot.
 *
 * The records must be those of nodes that have adopted the joint epoch. Then nothing above that ballot was
 * chosen in the epoch before: otherwise one of the old members among these nodes would show a vote for it.
 * And nothing can be chosen in the epoch before any more, and every round of the joint epoch needs both
 * memberships.
 */
export function isSealed(records: Records, quorums: Quorums, joining: NodeSet): boolean {
  const ballot = highestAccepted(records)
  if (ballot === undefined || isFastBallot(ballot)) return false
  const voters = candidatesAt(records, ballot).reduce((set, candidate) => set | candidate.voters, 0)
  return isClassicQuorum(voters, quorums) && (voters & joining) === joining
}
