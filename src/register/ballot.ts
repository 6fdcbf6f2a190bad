/**
 * Names a vote. Ballots are ordered by `round`, then by `proposerId`.
 *
 * `proposerId` 0 is the *fast* ballot of a round number, shared by all connectors (Fast Paxos §3.1). Any
 * other ballot is *classic* and belongs to the one connector that has this id.
 */
export type Ballot = Readonly<{
  /** The round number: an integer from 1 to `ROUND_MAX`. */
  round: number
  /** 0, or the owner's id: an integer from 1 to 2^52 - 1. */
  proposerId: number
}>

/** The proposerId of fast ballots, which all connectors share. */
export const FAST_PROPOSER_ID = 0

/**
 * The highest id that a connector may draw. It must be exact as a JavaScript number and as a SQLite integer.
 */
export const PROPOSER_ID_MAX = 2 ** 52 - 1

/**
 * The highest round number of any ballot (protocol.md §4.7). Nodes refuse messages with a higher one. An
 * accept promises the round number after its own, so a key whose round number is this high cannot be written
 * any more.
 */
export const ROUND_MAX = 2 ** 48

/**
 * The highest round number that a key can reach without a fault: 10,000 rounds a second, for 55 years. A
 * higher one comes from a fault of a program or disk, and must not spread from its key to others (protocol.md
 * §4.7).
 */
export const PLAUSIBLE_ROUND_MAX = 2 ** 44

/** What every node has promised for a key of which it has no record. */
export const FIRST_BALLOT: Ballot = { round: 1, proposerId: FAST_PROPOSER_ID }

/** Negative when `a` is lower than `b`, 0 when they are the same ballot, positive when `a` is higher. */
export function compareBallots(a: Ballot, b: Ballot): number {
  return a.round !== b.round ? a.round - b.round : a.proposerId - b.proposerId
}

export function isFastBallot(ballot: Ballot): boolean {
  return ballot.proposerId === FAST_PROPOSER_ID
}

export function maxBallot(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b
}

/** The fast ballot of the next round number. */
export function nextFastBallot(ballot: Ballot): Ballot {
  return { round: ballot.round + 1, proposerId: FAST_PROPOSER_ID }
}

/** The text of a ballot in logs and traces: `5.fast` or `5.1234`. */
export function formatBallot(ballot: Ballot | undefined): string {
  if (ballot === undefined) return 'none'
  return `${ballot.round}.${isFastBallot(ballot) ? 'fast' : ballot.proposerId}`
}
