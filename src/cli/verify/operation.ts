/** What a client of `cohort verify` did to a key, and what it saw. */
import type { GroupView } from '../api-client.ts'

/**
 * What is asked of a group. Every create and update writes the operation's own number into the group, so that
 * whoever reads the group knows who wrote it. `ifMatch` is a state that was seen before, by its ETag.
 */
export type Command =
  | Readonly<{ kind: 'read' | 'create' }>
  | Readonly<{ kind: 'update' | 'delete'; ifMatch: Sighting | undefined }>

/** A state of a group as an answer showed it: its text (see `describeState`) and its ETag. */
export type Sighting = Readonly<{ state: string; etag: string }>

/**
 * What became of an operation:
 *
 * - `done`: it took effect, or is a read that was answered;
 * - `refused`: the group's state did not permit it; this too is an answer that must be right;
 * - `not_applied`: it did not happen, and never will: the server said so (503), or it was never sent;
 * - `unknown`: it may have happened, or may yet: 504, a broken connection, no answer in time;
 * - `unanswered`: a read without an answer, from which nothing follows.
 */
export type Outcome = 'done' | 'refused' | 'not_applied' | 'unknown' | 'unanswered'

/** One operation of one client. */
export type Operation = Readonly<{
  /** Unique in the run, from 1. */
  number: number
  key: string
  /** Which client, from 1; 0 is the last look at a key. */
  client: number
  url: string
  command: Command
  /** Its place among all calls and answers of the run: unique whole numbers. */
  calledAt: number
  answeredAt: number
  /** Milliseconds since the run began. */
  calledMs: number
  answeredMs: number
  outcome: Outcome
  /** What the answer said, as the model says it. `undefined`: nothing that has to be explained. */
  seen: string | undefined
  /** Why it was not done, as `503 unavailable` or `connection refused`. */
  problem: string | undefined
  etag: string | undefined
  group: GroupView | undefined
}>
