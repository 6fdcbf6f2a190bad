/** What the removal of this connector has done since its start, and what is waiting. */
export interface RemovalReport {
  /** Keys for which the first step is done: every member has turned the tombstone into a stub. */
  readonly stubbedCount: number
  /** Keys for which the second step is done: every member has dropped the stub. */
  readonly removedCount: number
  /** Keys that had only promises. Their absence was chosen by a round, and is removed like a tombstone. */
  readonly settledCount: number
  /** Keys that wait for a grace time to pass, as the last complete walk has found. */
  readonly waitingCount: number
  /** How long the oldest waiting key has waited, in milliseconds. `undefined`: no key waits. */
  readonly oldestWaitingMs: number | undefined
}
