import { isFastBallot } from '../register/ballot.ts'
import { candidatesAt, highestAccepted, type Records } from '../register/known-chosen.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from '../register/quorum.ts'

/**
 * Whether a key needs nothing more before a joint epoch ends: classic quorums of both memberships have
 * accepted it at one classic ballot, the highest of all, and so has every node that is joining.
 *
 * The records must be of nodes that have adopted the epoch. A state chosen in an older one above that ballot
 * would have a vote at one of the old members among them; none is chosen there any more, and rounds of this
 * epoch involve both sides.
 */
export function isSealed(records: Records, quorums: Quorums, joining: NodeSet): boolean {
  const ballot = highestAccepted(records)
  if (ballot === undefined || isFastBallot(ballot)) return false
  const voters = candidatesAt(records, ballot).reduce((set, candidate) => set | candidate.voters, 0)
  return isClassicQuorum(voters, quorums) && (voters & joining) === joining
}
