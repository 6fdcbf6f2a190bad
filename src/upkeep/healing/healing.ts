/**
 * Heals damaged records in the background (protocol.md §9). Every connector runs it. A connector learns of a
 * damaged record from the answers to its own rounds and reads, and from the nodes, which it asks for the
 * damages that they have found. Then it runs classic rounds that change nothing, until no node answers any
 * more that its record of the key is damaged: such a round gives what it has chosen to these nodes.
 */
import type { Logger } from 'pino'
import { type Clock, sleep } from '../../process/clock.ts'
import { isDamage } from '../../register/damage.ts'
import { ask } from '../../replication/links/ask.ts'
import type { NodeLink } from '../../replication/links/node-link.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import type { Recipient } from '../../rpc/messages.ts'
import type { NodeTransport } from '../../rpc/transport.ts'

/** A node whose damaged records are healed. */
export type HealingMember = Readonly<{
  recipient: Recipient
  link: Pick<NodeLink, 'isReachable' | 'send'>
  transport: Pick<NodeTransport, 'scan'>
}>

/** The cluster as it is in one epoch. */
export type HealingTarget = Readonly<{
  members: readonly HealingMember[]
  client: Pick<RegisterClient, 'settle'>
}>

export type HealingLimits = Readonly<{
  /** The pause between two looks: each time between half of this and one and a half of it. */
  intervalMs: number
  /** The time that a node may take to list its damaged records. */
  listTimeoutMs: number
  /** The largest number of damaged records that one node lists at a time. */
  listMax: number
  /** The number of keys that are healed at once. */
  keysAtOnce: number
  /** The largest number of keys that wait to be healed. The nodes report further keys later. */
  keysMax: number
}>

export const HEALING_LIMITS: HealingLimits = {
  intervalMs: 2_000,
  listTimeoutMs: 5_000,
  listMax: 1_000,
  keysAtOnce: 32,
  keysMax: 10_000,
}

/** What this connector has healed since its start, and what it could not heal yet. */
export type HealingReport = Readonly<{ healedCount: number; waitingCount: number }>

export type HealingOptions = Readonly<{
  /** The cluster as it is now; `undefined` until it is found. */
  target: () => HealingTarget | undefined
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  limits: HealingLimits
  logger: Pick<Logger, 'info' | 'debug'>
}>

/**
 * The number of rounds for one key in a turn. The first round may be below the bound of a node, which its
 * answer shows; a node may be slow to learn.
 */
const ROUNDS_MAX = 3

export class Healing {
  readonly #options: HealingOptions
  /** The keys for which a node has reported a damaged record. */
  readonly #waiting = new Set<string>()
  readonly #closing = new AbortController()
  #healedCount = 0

  constructor(options: HealingOptions) {
    this.#options = options
  }

  get report(): HealingReport {
    return { healedCount: this.#healedCount, waitingCount: this.#waiting.size }
  }

  /** A node has answered that its record of a key is damaged. */
  note(key: string): void {
    if (this.#waiting.size < this.#options.limits.keysMax) this.#waiting.add(key)
  }

  /** Heals until it is closed. */
  async run(): Promise<void> {
    const { clock, random, limits } = this.#options
    while (!this.#isClosed) {
      const startMs = clock.nowMs()
      const target = this.#options.target()
      if (target !== undefined) await this.#turn(target)
      // The pause is as long as the work was, so that clients have the nodes for half of the time.
      const pauseMs = Math.max(limits.intervalMs, clock.nowMs() - startMs)
      await sleep(pauseMs * (0.5 + random()), clock, this.#closing.signal)
    }
  }

  close(): void {
    this.#closing.abort()
  }

  async #turn(target: HealingTarget): Promise<void> {
    const { limits, logger } = this.#options
    const before = this.#healedCount
    await Promise.all(target.members.map((member) => this.#list(member)))
    const keys = [...this.#waiting]
    for (let first = 0; first < keys.length && this.#isCurrent(target); first += limits.keysAtOnce)
      await Promise.all(keys.slice(first, first + limits.keysAtOnce).map((key) => this.#heal(target, key)))
    const healed = this.#healedCount - before
    if (healed > 0)
      logger.info({ healed, waiting: this.#waiting.size }, 'healed damaged records from the other nodes')
  }

  /** Adds the keys that a node knows to be damaged. */
  async #list({ link, transport, recipient }: HealingMember): Promise<void> {
    if (!link.isReachable) return
    const { clock, limits, logger } = this.#options
    const abort = new AbortController()
    const cancel = clock.after(limits.listTimeoutMs, () => abort.abort(new Error('it does not answer')))
    const range = {
      start: '',
      end: '',
      omitValues: true,
      damagedOnly: true,
      limit: limits.listMax,
      recipient,
    }
    try {
      for await (const page of transport.scan(range, abort.signal)) {
        for (const { key, record } of page) if (isDamage(record)) this.note(key)
      }
    } catch (err) {
      logger.debug({ err, node: recipient.nodeId }, 'a node did not list its damaged records')
    } finally {
      cancel()
    }
  }

  async #heal(target: HealingTarget, key: string): Promise<void> {
    for (let rounds = 0; rounds < ROUNDS_MAX && this.#isCurrent(target); rounds += 1) {
      if (!(await isDamagedOn(target, key))) return this.#done(key, rounds > 0)
      // Without a quorum of whole records the key waits.
      if ((await target.client.settle(key)).kind !== 'decided') return
    }
    if (!(await isDamagedOn(target, key))) this.#done(key, true)
  }

  #done(key: string, isHealed: boolean): void {
    this.#waiting.delete(key)
    if (isHealed) this.#healedCount += 1
  }

  #isCurrent({ client }: HealingTarget): boolean {
    return !this.#isClosed && this.#options.target()?.client === client
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }
}

/** Whether some node that is reached answers that its record of a key is damaged. */
async function isDamagedOn({ members }: HealingTarget, key: string): Promise<boolean> {
  const replies = await Promise.all(
    members.map(({ link }) => ask(link, key, { kind: 'read' }, { isBackground: true })),
  )
  return replies.some((reply) => reply !== undefined && isDamage(reply))
}
