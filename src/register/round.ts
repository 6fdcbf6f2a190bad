/**
 * The kinds of rounds of a proposer (protocol.md §4). `fast` and `led` accept at once: `fast` at a ballot
 * that all connectors share, `led` at a ballot of this connector. `classic` prepares first. `read` writes
 * nothing.
 */
export type RoundKind = 'fast' | 'led' | 'classic' | 'read'

/**
 * One round. All its requests refer to the same object. The proposer reads only its kind.
 */
export type Round = {
  readonly kind: RoundKind
  /** Set by the driver: a request of this round was sent. */
  isBegun: boolean
  /** Set by the driver: a node has refused a request of this round. */
  isRefused: boolean
}

export function newRound(kind: RoundKind): Round {
  return { kind, isBegun: false, isRefused: false }
}
