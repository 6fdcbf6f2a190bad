/** What a client of `cohort verify` did to a key, and what it saw. */
import type { GroupView } from '../api-client.ts'

/**
 * What an operation does. Every create and update writes the number of the operation into the group, so that
 * a read shows which operation wrote the group. `ifMatch` is a state that was seen before.
 */
export type Command =
  | Readonly<{ kind: 'read' | 'create' }>
  | Readonly<{ kind: 'update' | 'delete'; ifMatch: Sighting | undefined }>

/** A state of a group as an answer showed it: its text (see `describeState`) and its ETag. */
export type Sighting = Readonly<{ state: string; etag: string }>

/**
 * How an operation ended:
 *
 * - `done`: it took effect, or it is a read that was answered;
 * - `refused`: the state of the group did not allow it; this too is an answer that must be right;
 * - `not_applied`: it did not happen, and never will: the server said so (503), or it was never sent;
 * - `unknown`: it may have happened, or may still happen: 504, a broken connection, no answer in time;
 * - `unanswered`: it is a read without an answer, which proves nothing.
 */
export type Outcome = 'done' | 'refused' | 'not_applied' | 'unknown' | 'unanswered'

/** One operation of one client. */
export type Operation = Readonly<{
  /** Unique in the run, from 1. */
  number: number
  key: string
  /** The number of the client, from 1. 0 is the last read of a key. */
  client: number
  url: string
  command: Command
  /** The order of all calls and answers of the run, as unique whole numbers. */
  calledAt: number
  answeredAt: number
  /** Milliseconds since the run began. */
  calledMs: number
  answeredMs: number
  outcome: Outcome
  /** The answer, in the words of the model. `undefined`: there is no answer to explain. */
  seen: string | undefined
  /** Why it was not done: `503 unavailable` or `connection refused`, for example. */
  problem: string | undefined
  etag: string | undefined
  group: GroupView | undefined
}>
