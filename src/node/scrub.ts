/**
 * Reads all records of a node in the background, again and again, so that what a disk has spoiled is found
 * before a second disk spoils its copy. It goes by key, so that it reads the pages of the index and of the
 * records on its way. The handler notes what is damaged.
 */
import type { Clock } from '../process/clock.ts'
import type { NodeHandler } from './handler.ts'

export type ScrubOptions = Readonly<{
  handler: Pick<NodeHandler, 'scan'>
  /** How many records the node holds now. */
  recordCount: () => number
  clock: Clock
  /** How long one pass over all records takes, in milliseconds. */
  passMs: number
  /** Told at the end of each pass how many records it has read. */
  onPass: (records: number) => void
}>

/** Records that are read in one step: some milliseconds of the node's time. */
const STEP_RECORDS = 64

/** The shortest and the longest pause between two steps. A node with few records has steps all the same. */
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
