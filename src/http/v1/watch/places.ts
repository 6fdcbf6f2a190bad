/**
 * Places for work of which only so much may be done at a time. Callers take turns, and so do the connections
 * of one caller (fair-queue.ts).
 */
import type { Clock } from '../../../process/clock.ts'
import { FairQueue } from '../../admission/fair-queue.ts'

/** Whose work it is. Both are told apart by identity. */
export type Worker = Readonly<{ caller: unknown; connection: unknown }>

/** A place that work has. */
export type Place = Readonly<{
  /**
   * Waits for a promise, without the place if somebody else wants it meanwhile.
   *
   * @returns whether somebody else has had it
   */
  rest: (until: Promise<void>) => Promise<boolean>
  /** Gives the place to who waits for one, if the work has had it for a turn, and waits for another turn. */
  pass: () => Promise<void>
}>

/** How long work may keep its place while others wait, in milliseconds. */
const TURN_MS = 1_000

export class Places {
  readonly #clock: Pick<Clock, 'nowMs'>
  #free: number
  readonly #queue = new FairQueue<() => void>()
  /** Called when somebody wants a place: work that only waits gives its own. */
  readonly #resting = new Set<() => void>()

  constructor(count: number, clock: Pick<Clock, 'nowMs'>) {
    this.#free = count
    this.#clock = clock
  }

  /** Runs the work when there is a place, and gives the place back when the work has ended. */
  async run<T>(worker: Worker, work: (place: Place) => Promise<T>): Promise<T> {
    await this.#take(worker)
    let sinceMs = this.#clock.nowMs()
    const change = async (until?: Promise<void>) => {
      this.#give()
      await until
      await this.#take(worker)
      sinceMs = this.#clock.nowMs()
    }
    try {
      return await work({
        rest: async (until) => {
          if (await this.#isDoneFirst(until)) return false
          await change(until)
          return true
        },
        pass: async () => {
          if (this.#queue.length > 0 && this.#clock.nowMs() - sinceMs >= TURN_MS) await change()
        },
      })
    } finally {
      this.#give()
    }
  }

  /** Waits for `until`, or for somebody who wants a place. */
  #isDoneFirst(until: Promise<void>): Promise<boolean> {
    if (this.#queue.length > 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const onWanted = () => settle(false)
      const settle = (isDone: boolean) => {
        this.#resting.delete(onWanted)
        resolve(isDone)
      }
      this.#resting.add(onWanted)
      void until.then(() => settle(true))
    })
  }

  async #take({ caller, connection }: Worker): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#queue.push(caller, connection, resolve)
    const [resting] = this.#resting
    resting?.()
    await promise
  }

  #give(): void {
    const next = this.#queue.take()
    if (next === undefined) this.#free += 1
    else next()
  }
}
