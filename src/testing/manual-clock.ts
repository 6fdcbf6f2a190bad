/** For tests: a clock that goes on only when it is told to. */
import type { Clock } from '../process/clock.ts'

type Task = Readonly<{ atMs: number; task: () => void }>

export class ManualClock implements Clock {
  #nowMs = 0
  #tasks: Task[] = []

  /** How many tasks have not run: timers that are set, and what is deferred. */
  get taskCount(): number {
    return this.#tasks.length
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, task }
    this.#tasks.push(entry)
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry)
    }
  }

  defer(task: () => void): void {
    this.after(0, task)
  }

  /** Lets time go on, and runs all tasks that become due, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    while (this.#runNext(endMs));
    this.#nowMs = endMs
  }

  /**
   * Lets time go on as if the process were stopped: nothing runs. Overdue tasks run when time advances again.
   */
  skip(ms: number): void {
    this.#nowMs += ms
  }

  #runNext(endMs: number): boolean {
    const next = this.#tasks.toSorted((a, b) => a.atMs - b.atMs)[0]
    if (next === undefined || next.atMs > endMs) return false
    this.#tasks = this.#tasks.filter((other) => other !== next)
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.task()
    return true
  }
}
