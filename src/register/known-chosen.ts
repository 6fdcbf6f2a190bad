import { type Ballot, compareBallots } from './ballot.ts'
import type { KeyRecord } from './messages.ts'
import { isClassicQuorum, isQuorum, type NodeSet, type Quorums } from './quorum.ts'
import { ABSENT, type State, sameWriteId } from './state.ts'

/**
 * A state that is known to be chosen, and the ballot at which it was chosen. `undefined`: the key was never
 * written.
 */
export type Chosen = Readonly<{ state: State; ballot: Ballot | undefined }>

/**
 * The records of different nodes, each at the index of its node. `undefined`, or after the end of the array:
 * the node has not answered.
 */
export type Records = readonly (KeyRecord | undefined)[]

/** The nodes whose records these are. */
export function knownNodes(records: Records): NodeSet {
  let nodes = 0
  for (let node = 0; node < records.length; node += 1) if (records[node] !== undefined) nodes |= 1 << node
  return nodes
}

/**
 * The highest ballot at which any of the records accepted a state; `undefined` when none has accepted any.
 */
export function highestAccepted(records: Records): Ballot | undefined {
  let highest: Ballot | undefined
  for (const record of records) {
    const accepted = record?.accepted
    if (accepted !== undefined && (highest === undefined || compareBallots(accepted, highest) > 0))
      highest = accepted
  }
  return highest
}

/** A state that nodes have accepted, which nodes, and whether one of them knows that it is chosen. */
export type Candidate = { readonly state: State; voters: NodeSet; isMarked: boolean }

/** The states that were accepted at `ballot`, and by which nodes. */
export function candidatesAt(records: Records, ballot: Ballot): Candidate[] {
  const candidates: Candidate[] = []
  records.forEach((record, node) => {
    if (record?.accepted === undefined || compareBallots(record.accepted, ballot) !== 0) return
    const { state, chosen } = record
    const known = candidates.find((candidate) => sameWriteId(candidate.state.writeId, state.writeId))
    if (known === undefined) candidates.push({ state, voters: 1 << node, isMarked: chosen })
    else {
      known.voters |= 1 << node
      known.isMarked ||= chosen
    }
  })
  return candidates
}

/**
 * The state that is certainly the newest chosen one. `undefined`: these records do not show it.
 *
 * Records of fewer nodes than a classic quorum never show it. With a classic quorum, the newest chosen state
 * is at the highest accepted ballot, because a classic quorum meets the quorum that chose the state
 * (protocol.md §4.1).
 */
export function knownChosen(records: Records, quorums: Quorums): Chosen | undefined {
  if (!isClassicQuorum(knownNodes(records), quorums)) return undefined
  const ballot = highestAccepted(records)
  if (ballot === undefined) return { state: ABSENT, ballot: undefined }
  const candidates = candidatesAt(records, ballot)
  const chosen =
    candidates.find(({ isMarked }) => isMarked) ??
    candidates.find(({ voters }) => isQuorum(voters, ballot, quorums))
  return chosen === undefined ? undefined : { state: chosen.state, ballot }
}
