/**
 * How a proposer tries to get an answer from the nodes (protocol.md §4): `fast` and `led` accept at once, at a ballot
 * that all connectors share or at one of this connector's own; `classic` prepares first; `read` writes nothing.
 */
export type RoundKind = 'fast' | 'led' | 'classic' | 'read'

/** One round. All requests that belong to it name the same object. */
export type Round = {
  readonly kind: RoundKind
  /** Whether the driver has seen that a node refused a request of this round. The proposer never looks. */
  isRefused: boolean
}

export function newRound(kind: RoundKind): Round {
  return { kind, isRefused: false }
}
