import assert from 'node:assert/strict'
import { isFastBallot } from './ballot.ts'
import { type Candidate, candidatesAt, highestAccepted, knownNodes, type Records } from './known-chosen.ts'
import { countNodes, isClassicQuorum, type NodeSet, type Quorums } from './quorum.ts'
import { ABSENT, type State } from './state.ts'

/**
 * The state on which a classic round must build, from the records of the nodes that promised its ballot (at
 * least a classic quorum). It is, or descends from, every state that may have been chosen below that ballot
 * (protocol.md §4.4, step 2; Fast Paxos §3.2, rule for picking a value in phase 2a).
 */
export function recoverBase(promises: Records, quorums: Quorums): State {
  const nodes = knownNodes(promises)
  assert.ok(isClassicQuorum(nodes, quorums), 'a base is recovered from a classic quorum of promises')
  const ballot = highestAccepted(promises)
  if (ballot === undefined) return ABSENT
  const candidates = candidatesAt(promises, ballot)
  // A classic ballot has one owner, which proposes only one state at it.
  if (!isFastBallot(ballot)) return candidates[0]!.state
  return recoverFastVotes(candidates, nodes, quorums)
}

/**
 * At a fast ballot, nodes may have voted for different states. A state that a fast quorum has accepted has at
 * least `fast + promises - n` votes among the promises, and no second state can have that many. If no state
 * has, none was chosen, and any candidate may be taken, because each descends from the state that was chosen
 * before.
 *
 * In a joint epoch all of this is about the old members. A joining node has not voted at a fast ballot. It
 * can only have learned a state that was chosen at one, and such a state has its votes among the old members
 * too.
 */
function recoverFastVotes(candidates: readonly Candidate[], nodes: NodeSet, { current }: Quorums): State {
  const threshold = current.fast + countNodes(nodes & current.members) - current.n
  const ranked = candidates
    .map(({ state, voters }) => ({ state, count: countNodes(voters & current.members) }))
    .sort(
      (a, b) =>
        b.count - a.count ||
        a.state.writeId.proposerId - b.state.writeId.proposerId ||
        a.state.writeId.sequence - b.state.writeId.sequence,
    )
  const [first, second] = ranked
  assert.ok(first !== undefined)
  assert.ok(second === undefined || second.count < threshold, 'two states cannot both have been chosen')
  return first.state
}
