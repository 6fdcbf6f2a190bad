import { setImmediate as nextTurn } from 'node:timers/promises'
import { Chance } from '../chance.ts'
import { Timeline } from './timeline.ts'

/** What all parts of a run share: its time, its random numbers, its log, and how it ends. */
export class Stage {
  readonly chance: Chance
  readonly timeline = new Timeline()
  /** The log of the run, if it was asked for. */
  readonly lines: string[] | undefined
  /** Requests and answers about one key each, sent and received. */
  messageCount = 0
  /**
   * The number of turns of the processes so far. What a proposer decides and sends in one turn belongs
   * together.
   */
  turn = 0
  #failure: Error | undefined

  constructor(seed: number, isTold: boolean) {
    this.chance = new Chance(seed)
    this.lines = isTold ? [] : undefined
  }

  /** The first rule that was broken; it ends the run. */
  get failure(): Error | undefined {
    return this.#failure
  }

  fail(error: unknown): void {
    this.#failure ??= error as Error
  }

  tell(line: string): void {
    this.lines?.push(`${this.timeline.nowMs.toFixed(3).padStart(10)}  ${line}`)
  }

  /** Lets time pass until `untilMs`, until `isDone` returns true, or until a rule is broken. */
  async runUntil(untilMs: number, isDone: () => boolean): Promise<void> {
    while (this.#failure === undefined && !isDone()) {
      this.turn += 1
      if (!this.timeline.step(untilMs)) return
      if (!this.timeline.isSettling) continue
      this.timeline.isSettling = false
      // Code that awaits a promise which this event has settled runs before time goes on.
      this.turn += 1
      await nextTurn()
    }
  }
}
