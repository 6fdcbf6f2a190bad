import { setImmediate as nextTurn } from 'node:timers/promises'
import { Chance } from '../chance.ts'
import { Timeline } from './timeline.ts'

/** What all parts of a run share: its time, its chance, its story, and how it ends. */
export class Stage {
  readonly chance: Chance
  readonly timeline = new Timeline()
  /** The conversation, where it is asked for. */
  readonly lines: string[] | undefined
  /** Requests and answers about one key each, sent and received. */
  messageCount = 0
  /** Counts the turns of the processes: what a proposer decides and sends in one turn belongs together. */
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

  /** Lets time pass until then, until `isDone`, or until a rule breaks. */
  async runUntil(untilMs: number, isDone: () => boolean): Promise<void> {
    while (this.#failure === undefined && !isDone()) {
      this.turn += 1
      if (!this.timeline.step(untilMs)) return
      if (!this.timeline.isSettling) continue
      this.timeline.isSettling = false
      // Whoever awaits a promise that this event has settled goes on before time does.
      this.turn += 1
      await nextTurn()
    }
  }
}
