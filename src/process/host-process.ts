import { openLog } from './log.ts'
import { stopSignal } from './stop-signal.ts'

/**
 * What a node or a connector takes from the process that it runs in. Tests run several of them in one
 * process, where each has a log and a stop of its own.
 */
export type HostProcess = Readonly<{
  openLog: typeof openLog
  /** As `stopSignal`. */
  stopSignal: typeof stopSignal
}>

/** For a process that is one node or one connector: its stdout, and the signals that it gets. */
export const WHOLE_PROCESS: HostProcess = { openLog, stopSignal }
