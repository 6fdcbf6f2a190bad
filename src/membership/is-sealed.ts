import { isFastBallot } from '../register/ballot.ts'
import { candidatesAt, highestAccepted, type Records } from '../register/known-chosen.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from '../register/quorum.ts'

/**
 * Whether a key needs nothing more before a joint epoch ends. It needs nothing when one classic ballot is the
 * highest of all, and classic quorums of both memberships and every joining node have accepted the key at
 * that ballot.
 *
 * The records must be those of nodes that have adopted the joint epoch. Then nothing above that ballot was
 * chosen in the epoch before: one of the old members among these nodes would show a vote for it. Nothing will
 * be chosen in the epoch before any more, and every round of the joint epoch needs both memberships.
 */
export function isSealed(records: Records, quorums: Quorums, joining: NodeSet): boolean {
  const ballot = highestAccepted(records)
  if (ballot === undefined || isFastBallot(ballot)) return false
  const voters = candidatesAt(records, ballot).reduce((set, candidate) => set | candidate.voters, 0)
  return isClassicQuorum(voters, quorums) && (voters & joining) === joining
}
