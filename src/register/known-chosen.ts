import { type Ballot, compareBallots, isFastBallot } from './ballot.ts'
import type { Record } from './messages.ts'
import type { Quorums } from './quorum.ts'
import { ABSENT, type State, sameWriteId } from './state.ts'

/** A state that is known to be chosen, and the ballot it was chosen at; `undefined`: nobody has written the key. */
export type Chosen = Readonly<{ state: State; ballot: Ballot | undefined }>

/** The highest ballot at which any of the records accepted a state; `undefined` when none has accepted any. */
export function highestAccepted(records: readonly Record[]): Ballot | undefined {
  let highest: Ballot | undefined
  for (const { accepted } of records) {
    if (accepted !== undefined && (highest === undefined || compareBallots(accepted, highest) > 0))
      highest = accepted
  }
  return highest
}

/** The records that accepted a state at `ballot`. */
export function votesAt(records: readonly Record[], ballot: Ballot): Record[] {
  return records.filter(({ accepted }) => accepted !== undefined && compareBallots(accepted, ballot) === 0)
}

/** Whether so many nodes' votes for one state at `ballot` make it chosen (protocol.md §1). */
export function isChosen(voteCount: number, ballot: Ballot, quorums: Quorums): boolean {
  return voteCount >= (isFastBallot(ballot) ? quorums.fast : quorums.classic)
}

/**
 * The state that is certainly the newest chosen one, or `undefined` when these records do not tell.
 *
 * Takes one record each of different nodes; fewer than a classic quorum never tell. The newest chosen state is at
 * the highest accepted ballot among them, because a classic quorum meets the quorum that chose it (protocol.md §4.1).
 */
export function knownChosen(records: readonly Record[], quorums: Quorums): Chosen | undefined {
  if (records.length < quorums.classic) return undefined
  const ballot = highestAccepted(records)
  if (ballot === undefined) return { state: ABSENT, ballot: undefined }
  const votes = votesAt(records, ballot)
  const marked = votes.find((vote) => vote.chosen)
  if (marked !== undefined) return { state: marked.state, ballot }
  for (const { state } of votes) {
    const count = votes.filter((vote) => sameWriteId(vote.state.writeId, state.writeId)).length
    if (isChosen(count, ballot, quorums)) return { state, ballot }
  }
  return undefined
}
