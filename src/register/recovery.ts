import assert from 'node:assert/strict'
import { isFastBallot } from './ballot.ts'
import { highestAccepted, votesAt } from './known-chosen.ts'
import type { Record } from './messages.ts'
import type { Quorums } from './quorum.ts'
import { ABSENT, type State, sameWriteId } from './state.ts'

/**
 * The state that a classic round must build on, from the records of the nodes that promised its ballot (at least a
 * classic quorum). It is, or descends from, whatever may have been chosen below that ballot (protocol.md §4.4, step
 * 2; Fast Paxos §3.2, rule for picking a value in phase 2a).
 */
export function recoverBase(promises: readonly Record[], quorums: Quorums): State {
  assert.ok(promises.length >= quorums.classic, 'a base is recovered from a classic quorum of promises')
  const ballot = highestAccepted(promises)
  if (ballot === undefined) return ABSENT
  const votes = votesAt(promises, ballot)
  // A classic ballot has one owner, who proposes one state at it.
  if (!isFastBallot(ballot)) return votes[0]!.state
  return recoverFastVotes(votes, promises.length, quorums)
}

/**
 * At a fast ballot, nodes may have voted for different states. One that a fast quorum accepted has at least
 * `fast + promises - n` votes among the promises, and no second one can have that many. When none has, none was
 * chosen, and any candidate will do, since each descends from the one state chosen before it.
 */
function recoverFastVotes(votes: readonly Record[], promiseCount: number, quorums: Quorums): State {
  const threshold = quorums.fast + promiseCount - quorums.n
  const ranked = countVotes(votes).sort(
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

function countVotes(votes: readonly Record[]): { state: State; count: number }[] {
  const counts: { state: State; count: number }[] = []
  for (const { state } of votes) {
    const known = counts.find((entry) => sameWriteId(entry.state.writeId, state.writeId))
    if (known === undefined) counts.push({ state, count: 1 })
    else known.count += 1
  }
  return counts
}
