import type { Clock } from '../../../process/clock.ts'
import type { Description } from '../../../rpc/messages.ts'

export type NodePollOptions = Readonly<{
  /** The addresses to ask. Called for every round of questions. */
  addresses: () => readonly string[]
  /** Rejects within `timeoutMs`, whatever the node does. */
  describe: (address: string, timeoutMs: number) => Promise<Description>
  clock: Clock
  /** The pause between two rounds of questions. */
  intervalMs: number
  timeoutMs: number
}>

export const POLL_LIMITS = { intervalMs: 1_000, timeoutMs: 1_000 }

/**
 * Asks every node about itself again and again in the background, so that the status can be shown without
 * waiting for a node.
 */
export class NodePoll {
  readonly #options: NodePollOptions
  #latest: ReadonlyMap<string, Description> = new Map()
  #isClosed = false
  #cancel: () => void = () => {}

  constructor(options: NodePollOptions) {
    this.#options = options
  }

  /** Begins to ask. `close` ends it. */
  start(): void {
    void this.#round()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  /** The last answer of the node at an address. `undefined`: it did not answer the last time. */
  latest(address: string): Description | undefined {
    return this.#latest.get(address)
  }

  async #round(): Promise<void> {
    const { addresses, describe, clock, intervalMs, timeoutMs } = this.#options
    const asked = addresses().map(async (address) => [address, await describe(address, timeoutMs)] as const)
    const results = await Promise.allSettled(asked)
    if (this.#isClosed) return
    this.#latest = new Map(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])))
    this.#cancel = clock.after(intervalMs, () => void this.#round())
  }
}
