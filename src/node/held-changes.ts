/** Answers calls for changes, some of which wait until there is a change. */
import type { Clock } from '../process/clock.ts'
import type { ChangesAnswer, ChangesRequest } from '../rpc/messages.ts'
import type { NodeHandler } from './handler.ts'

/** The longest wait that a call may ask for. */
const WAIT_MS_MAX = 10_000

/** How many calls may wait. Each connector has one. With more, the oldest one is answered. */
const WAITING_MAX = 256

export class HeldChanges {
  readonly #handler: Pick<NodeHandler, 'changes' | 'onNews'>
  readonly #clock: Pick<Clock, 'after'>
  /** Each answers its call now. The oldest is first. */
  readonly #waiting = new Set<() => void>()
  #isEnding = false

  constructor(handler: Pick<NodeHandler, 'changes' | 'onNews'>, clock: Pick<Clock, 'after'>) {
    this.#handler = handler
    this.#clock = clock
  }

  /**
   * Answers at once if the node has changed something since then, if it cannot go on from there, or if the
   * request does not wait. `undefined`: the store has failed. The returned function takes the call back.
   */
  ask(request: ChangesRequest, reply: (answer: ChangesAnswer | undefined) => void): () => void {
    const answer = this.#handler.changes(request)
    const hasNews = answer === undefined || answer.at === undefined || answer.begins || answer.keys.length > 0
    if (hasNews || request.waitMs === 0 || this.#isEnding) {
      reply(answer)
      return () => undefined
    }
    const stop = (): void => {
      this.#waiting.delete(end)
      forget()
      cancel()
    }
    const end = (): void => {
      stop()
      reply(this.#handler.changes(request))
    }
    const forget = this.#handler.onNews(end)
    const cancel = this.#clock.after(Math.min(request.waitMs, WAIT_MS_MAX), end)
    this.#waiting.add(end)
    if (this.#waiting.size > WAITING_MAX) this.#waiting.values().next().value?.()
    return stop
  }

  /** Answers all calls that wait. From now on no call waits. */
  end(): void {
    this.#isEnding = true
    for (const answer of [...this.#waiting]) answer()
  }
}
