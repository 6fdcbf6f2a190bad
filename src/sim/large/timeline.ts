import type { Clock } from '../../process/clock.ts'
import type { Chance } from '../chance.ts'

type Event = { readonly at: number; readonly order: number; readonly task: () => void; isCancelled: boolean }

/**
 * Simulated time: events in the order of their times; events of the same time, in the order in which they
 * were made.
 */
export class Timeline {
  /** Milliseconds since the start of the run. */
  nowMs = 0
  /**
   * A timer was cancelled or has fired. It may have settled promises, and code that awaits them runs first.
   */
  isSettling = false
  readonly #heap: Event[] = []
  #count = 0

  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): Event {
    const event = { at: this.nowMs + Math.max(0, delayMs), order: this.#count, task, isCancelled: false }
    this.#count += 1
    this.#push(event)
    return event
  }

  /** Runs the next event that was not cancelled. Returns `false` if there is none before `untilMs`. */
  step(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.at > untilMs) return false
      this.#pop()
      if (next.isCancelled) continue
      this.nowMs = next.at
      next.task()
      return true
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = event
  }

  #pop(): void {
    const heap = this.#heap
    const event = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, event)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = event
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** How a process's clock differs from the others. */
export type Drift = Readonly<{
  /** The clock runs this many times as fast as the timeline. */
  rate: number
  /**
   * A timer fires after its delay times a factor, which is drawn for each timer between these two numbers.
   */
  timerFactors: readonly [number, number]
}>

/**
 * The clock of one process. It drifts from the others and jumps. In a dead process no timer fires and no task
 * runs.
 */
export class ProcessClock implements Clock {
  readonly #timeline: Timeline
  readonly #chance: Chance
  readonly #drift: Drift
  #offsetMs: number
  #timerFactors: readonly [number, number]
  #isDead = false
  /** The tasks that run when the stopped process goes on. */
  #postponed: (() => void)[] | undefined

  constructor(timeline: Timeline, chance: Chance, drift: Drift) {
    this.#timeline = timeline
    this.#chance = chance
    this.#drift = drift
    this.#timerFactors = drift.timerFactors
    this.#offsetMs = chance.below(1_000_000)
  }

  get isStopped(): boolean {
    return this.#postponed !== undefined
  }

  nowMs(): number {
    return this.#offsetMs + this.#timeline.nowMs * this.#drift.rate
  }

  after(delayMs: number, task: () => void): () => void {
    const [least, most] = this.#timerFactors
    const factor = least + this.#chance.uniform() * (most - least)
    const event = this.#timeline.after((delayMs * factor) / this.#drift.rate, () => {
      this.#timeline.isSettling = true
      // The timer can still be cancelled while the process is stopped.
      this.run(() => {
        if (!event.isCancelled) task()
      })
    })
    return () => {
      this.#timeline.isSettling = true
      event.isCancelled = true
    }
  }

  defer(task: () => void): void {
    this.#timeline.after(0, () => this.run(task))
  }

  /** This event settles promises: code that awaits them runs before time goes on. */
  settle(): void {
    this.#timeline.isSettling = true
  }

  /** Runs a task of the process: now; if the process is stopped, when it goes on; if it is dead, never. */
  run(task: () => void): void {
    if (this.#isDead) return
    if (this.#postponed === undefined) task()
    else this.#postponed.push(task)
  }

  /** Sets the clock forward. */
  jump(aheadMs: number): void {
    this.#offsetMs += aheadMs
  }

  /** From now on timers fire exactly after their delay, as this clock measures it. */
  steady(): void {
    this.#timerFactors = [1, 1]
  }

  stop(): void {
    this.#postponed ??= []
  }

  resume(): void {
    const postponed = this.#postponed ?? []
    this.#postponed = undefined
    for (const task of postponed) this.#timeline.after(0, () => this.run(task))
  }

  kill(): void {
    this.#isDead = true
    this.#postponed = undefined
  }
}
