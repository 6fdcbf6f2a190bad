import type { Clock } from '../../../process/clock.ts'
import { CertificateError } from '../../../rpc/certificate-error.ts'
import type { Description } from '../../../rpc/messages.ts'
import { WireVersionError } from '../../../rpc/wire.ts'

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
  #problems: ReadonlyMap<string, string> = new Map()
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

  /** Why the last answer of the node at an address could not be used. */
  problem(address: string): string | undefined {
    return this.#problems.get(address)
  }

  async #round(): Promise<void> {
    const { addresses, describe, clock, intervalMs, timeoutMs } = this.#options
    const latest = new Map<string, Description>()
    const problems = new Map<string, string>()
    const asked = addresses().map(async (address) => {
      try {
        latest.set(address, await describe(address, timeoutMs))
      } catch (error) {
        if (error instanceof WireVersionError || error instanceof CertificateError)
          problems.set(address, error.message)
      }
    })
    await Promise.all(asked)
    if (this.#isClosed) return
    this.#latest = latest
    this.#problems = problems
    this.#cancel = clock.after(intervalMs, () => void this.#round())
  }
}
