/** What removal of this connector has done since its start, and what waits. */
export interface RemovalReport {
  /** Keys whose tombstone every member has turned into a stub: the first step. */
  readonly stubbedCount: number
  /** Keys of which every member has dropped the rest: the second step. */
  readonly removedCount: number
  /** Keys that had only promises, and whose absence was chosen, to be removed then. */
  readonly settledCount: number
  /** Keys that wait for a grace time to pass, as the last whole walk has found. */
  readonly waitingCount: number
  /** How long the oldest of them has waited, in milliseconds; `undefined`: none does. */
  readonly oldestWaitingMs: number | undefined
}
