/**
 * How a proposer tries to get an answer from the nodes (protocol.md §4): `fast` and `led` accept at once, at
 * a ballot that all connectors share or at one of this connector's own; `classic` prepares first; `read`
 * writes nothing.
 */
export type RoundKind = 'fast' | 'led' | 'classic' | 'read'

/**
 * One round. All requests that belong to it name the same object. The proposer reads nothing of it but its
 * kind.
 */
export type Round = {
  readonly kind: RoundKind
  /** For the driver to note: a request of this round has left. */
  isBegun: boolean
  /** For the driver to note: a node has refused a request of this round. */
  isRefused: boolean
}

export function newRound(kind: RoundKind): Round {
  return { kind, isBegun: false, isRefused: false }
}
