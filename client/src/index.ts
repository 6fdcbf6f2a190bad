/** A client of Cohort, the replicated registry of groups. */
export type { ApiKeys, Backup, Cluster } from './admin.ts'
export type { CallOptions, KeyedOptions } from './caller.ts'
export { type ClientOptions, CohortClient } from './client.ts'
export type { Source, Tls } from './connection.ts'
export type { Key } from './endpoint.ts'
export type { GroupMembers } from './group-members.ts'
export type { Conditional, GroupFilter, GroupPageQuery, Groups } from './groups.ts'
export { keyFrom } from './key-from.ts'
export {
  type AnswerFailure,
  type Cause,
  type ChangeOf,
  CohortError,
  type ConnectFailure,
  type Done,
  expectDone,
  type NotApplied,
  type Outcome,
  type ReadOf,
  type ReadOutcome,
  type Refused,
  type Unknown,
} from './outcome.ts'
export { type ListOptions, UnreadableError } from './pages.ts'
export type { FieldError, Problem } from './problem.ts'
export type * from './types.ts'
export type {
  ResetReason,
  Watch,
  WatchConnection,
  WatchEvent,
  WatchOptions,
  WatchQuery,
} from './watch.ts'
