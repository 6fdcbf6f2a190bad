/** Chooses which of several connectors is asked next. */
import type { Endpoint } from './endpoint.ts'
import { pause } from './pause.ts'

export type NextOptions = Readonly<{
  /** Those that this call has asked already. */
  asked: ReadonlySet<Endpoint>
  /** Until when this call may wait for a connector that rests. */
  untilMs: number
  signal: AbortSignal | undefined
}>

export class Endpoints {
  readonly #all: readonly Endpoint[]
  readonly #nowMs: () => number
  readonly #closing = new AbortController()
  /** The one that has answered last, or else the first one. */
  #first = 0

  constructor(all: readonly Endpoint[], nowMs: () => number) {
    if (all.length === 0) throw new TypeError('name at least one URL')
    this.#all = all
    this.#nowMs = nowMs
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Aborts when the client is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /**
   * The connector to ask next: one that this call has not asked, before one that it has. If all rest, it
   * waits. A connector is asked at least once in a call, unless it has asked to be left alone.
   *
   * @returns `undefined` if the call has ended: no connector may be asked before its time is over
   */
  async next({ asked, untilMs, signal }: NextOptions): Promise<Endpoint | undefined> {
    while (!this.isClosed) {
      const nowMs = this.#nowMs()
      const ready = this.#inOrder().filter(({ restsUntilMs }) => restsUntilMs <= nowMs)
      const fresh = ready.find((endpoint) => !asked.has(endpoint))
      if (fresh !== undefined) return fresh
      if (ready.length > 0 && nowMs < untilMs) return ready[0]
      const rested = this.#inOrder().sort((a, b) => a.restsUntilMs - b.restsUntilMs)
      const soonest = rested[0]!
      if (nowMs >= untilMs || soonest.restsUntilMs > untilMs) {
        if (asked.size === 0) return soonest
        return rested.find((endpoint) => !asked.has(endpoint) && !endpoint.isRestOrdered)
      }
      await pause(soonest.restsUntilMs - nowMs, signal, this.closing)
      signal?.throwIfAborted()
    }
    return undefined
  }

  /** The next calls begin with this one. */
  prefer(endpoint: Endpoint): void {
    this.#first = this.#all.indexOf(endpoint)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#all.map((endpoint) => endpoint.close()))
  }

  #inOrder(): Endpoint[] {
    return [...this.#all.slice(this.#first), ...this.#all.slice(0, this.#first)]
  }
}
