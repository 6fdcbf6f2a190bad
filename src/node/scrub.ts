/**
 * Reads all records of a node in the background, again and again, so that a damaged record is found before a
 * second disk damages its copy. It reads in the order of the keys, and so reads the pages of the index and of
 * the records. The handler stores which records are damaged.
 */
import type { Clock } from '../process/clock.ts'
import type { NodeHandler } from './handler.ts'

export type ScrubOptions = Readonly<{
  handler: Pick<NodeHandler, 'scan'>
  /** The number of records that the node holds now. */
  recordCount: () => number
  clock: Clock
  /** The duration of one pass over all records, in milliseconds. */
  passMs: number
  /** Called at the end of each pass with the number of records that it has read. */
  onPass: (records: number) => void
}>

/** The number of records that one step reads, in some milliseconds of the node's time. */
const STEP_RECORDS = 64

/** The shortest and the longest pause between two steps. The longest pause is for a node with few records. */
const PAUSE_MS_MIN = 20
const PAUSE_MS_MAX = 60_000

export class Scrub {
  readonly #options: ScrubOptions
  #start = ''
  #readCount = 0
  #cancel: () => void = () => {}

  constructor(options: ScrubOptions) {
    this.#options = options
  }

  /** Goes on until it is closed. */
  run(): void {
    const { clock, passMs, recordCount } = this.#options
    const steps = Math.max(1, recordCount() / STEP_RECORDS)
    const pauseMs = Math.min(Math.max(passMs / steps, PAUSE_MS_MIN), PAUSE_MS_MAX, passMs)
    this.#cancel = clock.after(pauseMs, () => {
      this.#step()
      this.run()
    })
  }

  close(): void {
    this.#cancel()
  }

  #step(): void {
    const slice = this.#options.handler.scan({ start: this.#start, end: '', omitValues: false }, STEP_RECORDS)
    // The store has failed, and the node ends.
    if (slice === undefined || slice === 'not_meant') return
    this.#readCount += slice.entries.length
    if (slice.nextStart === undefined) {
      this.#options.onPass(this.#readCount)
      this.#readCount = 0
    }
    this.#start = slice.nextStart ?? ''
  }
}
