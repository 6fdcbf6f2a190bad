/** What a client of `cohort verify` did to a group or to a member of it, and what it saw. */
import type { GroupMember } from '../../api/group-member-schemas.ts'
import type { GroupView } from '../api-client.ts'

/**
 * What an operation does. Every change writes the number of the operation into the group or the member, so
 * that an answer shows which operation wrote it. `ifMatch` is a state that was seen before.
 */
export type Command =
  | Readonly<{ kind: 'read' | 'create' }>
  | Readonly<{ kind: 'update' | 'delete'; ifMatch: Sighting | undefined }>
  | Readonly<{ kind: 'add' | 'put' | 'check' | 'remove'; memberId: string }>

/** A state of a group as an answer showed it: its text (see `describeGroup`) and its ETag. */
export type Sighting = Readonly<{ state: string; etag: string }>

/**
 * How an operation ended:
 *
 * - `done`: it took effect, or it is a read or a check that was answered;
 * - `refused`: the state of the group or the member did not allow it, which must be right too;
 * - `not_applied`: it did not happen, and never will: the server said so (503), or it was never sent;
 * - `unknown`: it may have happened, or may still happen: 504, a broken connection, no answer in time;
 * - `unanswered`: it is a read or a check without an answer, which proves nothing.
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
  /** The group that the answer shows. */
  group: GroupView | undefined
  /** The member that the answer shows. */
  member: GroupMember | undefined
}>
