import type { ChangeLog } from './change-log.ts'
import type { NodeCounters } from './counters.ts'
import type { Damages } from './damages.ts'
import type { RecordStore } from './store/record-store.ts'

/** What a handler works with. */
export type NodeHandlerOptions = Readonly<{
  store: RecordStore
  /** The version of the program, for `describe`. */
  version: string
  /** The only cluster that this node may belong to. By default, any. */
  clusterId?: string | undefined
  /** Runs a function after all events that have already arrived: `setImmediate`, or the simulator's clock. */
  defer: (fn: () => void) => void
  /**
   * Told why the handler has stopped: the store has failed, a bug was found, or the node is no longer a
   * member (`not_a_member`). Called at most once. From then on the handler answers nothing.
   */
  onFatal: (error: unknown) => void
  /**
   * Called once, with a sentence without a full stop, when a peer wants this node for another cluster than
   * `clusterId`. The node does not act on the messages of that peer. By default, nothing is called.
   */
  onForeign?: (sentence: string) => void
  /** By default, counters that nothing reads. */
  counters?: NodeCounters
  /** The damaged records that the node knows of. */
  damages?: Damages
  /** What the node changes. By default, a log of the usual size. */
  changes?: ChangeLog
}>
