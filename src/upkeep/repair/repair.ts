/**
 * Keeps nodes equal in the background (protocol.md §5): it compares their digests again and again, and
 * repairs the keys that differ for longer than a write takes. Every connector does this, and the connectors
 * need not know of each other: each begins at another key, and keys that another connector has repaired are
 * equal.
 */
import type { Logger } from 'pino'
import { sleep } from '../../process/clock.ts'
import { wholeRecords } from '../../register/damage.ts'
import { type DifferingKey, differingKeys, drawStart } from './differing-keys.ts'
import { type Look, lookAtDigests } from './digest-look.ts'
import { type KeyRepairOptions, repairScanned } from './key-repair.ts'
import { LeafWatch } from './leaf-watch.ts'
import { Pace } from './pace.ts'
import { Pass } from './pass.ts'
import { RepairFigures, type RepairReport } from './repair-report.ts'
import type { RepairMember, RepairTarget } from './repair-target.ts'
import { Slots } from './slots.ts'
import { Stopwatch } from './stopwatch.ts'

export type RepairLimits = Readonly<{
  /** The average pause between two comparisons. Each pause is between 0.5 and 1.5 times this. */
  intervalMs: number
  /** The time until the second look at leaves that differ. It is longer than a write takes. */
  secondLookMs: number
  /** How many keys are under repair at once. */
  keysInFlightMax: number
  /** How many repairs begin in a second. The nodes need the rest of their time for clients. */
  keysPerSecondMax: number
}>

export const REPAIR_LIMITS: RepairLimits = {
  intervalMs: 1_000,
  secondLookMs: 300,
  keysInFlightMax: 256,
  keysPerSecondMax: 6_000,
}

export type RepairOptions = KeyRepairOptions &
  Readonly<{
    /** The current cluster. `undefined` until it is found, and while its membership changes. */
    target: () => RepairTarget | undefined
    /** Uniform in [0, 1). */
    random: () => number
    limits: RepairLimits
    logger: Pick<Logger, 'info' | 'debug'>
  }>

/** How often a pause checks whether a node is back. */
const RETURN_MS = 100
/** A pause is at least this many times as long as the waits for scans in the pass before it. */
const SCAN_REST = 1

export class Repair {
  readonly #options: RepairOptions
  readonly #watch = new LeafWatch()
  readonly #figures = new RepairFigures()
  readonly #closing = new AbortController()
  /** The ids of the members that were up at the last look. */
  #seen = new Set<string>()

  constructor(options: RepairOptions) {
    this.#options = options
  }

  get report(): RepairReport {
    return this.#figures
  }

  /** Compares and repairs until it is closed. */
  async run(): Promise<void> {
    const { limits, clock, random } = this.#options
    let wasSecondLook = false
    while (!this.#isClosed) {
      const startMs = clock.nowMs()
      const { differs, scanMs } = await this.#step()
      // Leaves that differ are compared again soon, to distinguish writes under way from a node that lags.
      const isSecondLook: boolean = differs && scanMs === 0 && !wasSecondLook
      wasSecondLook = isSecondLook
      // For a pass the nodes read all their keys, even if it needs only a few. Afterwards they rest.
      const pauseMs = isSecondLook
        ? limits.secondLookMs - (clock.nowMs() - startMs)
        : Math.max(limits.intervalMs, SCAN_REST * scanMs)
      await this.#pause(pauseMs * (0.5 + random()))
    }
  }

  close(): void {
    this.#closing.abort()
  }

  /**
   * Compares once, and repairs the leaves that are due. `scanMs`: how long the nodes were scanned for that.
   */
  async #step(): Promise<Readonly<{ differs: boolean; scanMs: number }>> {
    const { target: getTarget, random, clock } = this.#options
    const target = getTarget()
    this.#seen = new Set(target?.members.filter(({ link }) => !link.isSuspect).map(({ nodeId }) => nodeId))
    const look = target === undefined ? undefined : await lookAtDigests(target, random)
    if (target === undefined || look === undefined) {
      this.#figures.notCompared()
      return { differs: false, scanMs: 0 }
    }
    const due = this.#watch.observe(look)
    this.#figures.compared(look.members, this.#watch.stillCount, clock.nowMs())
    const scanMs = due.length > 0 ? await this.#pass(target, look, due) : 0
    return { differs: look.leaves.size > 0, scanMs }
  }

  /** Repairs the leaves that are due. Returns how long it has waited for scans of the nodes. */
  async #pass(target: RepairTarget, { members }: Look, due: readonly number[]): Promise<number> {
    const { clock, random, limits, logger } = this.#options
    const { clusterId, epoch } = target
    const comparison = { clusterId, epoch, members, leaves: new Set(due) }
    const pass = new Pass(members)
    const slots = new Slots(limits.keysInFlightMax)
    const pace = new Pace(limits.keysPerSecondMax, clock)
    const scanning = new Stopwatch(clock)
    try {
      const start = await scanning.time(drawStart(comparison, random, clock))
      const pages = differingKeys(comparison, start, clock)
      for (;;) {
        const { done, value: keys } = await scanning.time(pages.next())
        if (done === true) break
        for (const differing of keys) {
          pass.found(differing)
          await pace.take()
          await slots.take()
          if (this.#isClosed || this.#options.target()?.client !== target.client) {
            void pages.return(undefined)
            return scanning.totalMs
          }
          void this.#repair(target, members, differing, pass).finally(() => slots.release())
        }
      }
      await slots.idle()
      // Leaves with a failed key are due again at the next look.
      if (pass.outcomes.failed === 0) this.#watch.tried(comparison.leaves)
      this.#figures.passed(pass, comparison.leaves.size)
    } catch (err) {
      logger.debug({ err }, 'a pass of repair was interrupted')
      await slots.idle()
    }
    if (pass.repairedCount > 0) logger.info(pass.outcomes, 'repaired keys in which nodes differed')
    return scanning.totalMs
  }

  async #repair(
    target: RepairTarget,
    scanned: readonly RepairMember[],
    { key, records }: DifferingKey,
    pass: Pass,
  ): Promise<void> {
    const byMember = wholeRecords(target.members.map((member) => records[scanned.indexOf(member)]))
    const outcome = await repairScanned(target, { key, records: byMember }, this.#options)
    pass.count(outcome)
    this.#figures.count(outcome)
  }

  /** Waits. It ends early if a node is up that was not up at the last look. */
  async #pause(pauseMs: number): Promise<void> {
    const { clock } = this.#options
    const endMs = clock.nowMs() + pauseMs
    for (;;) {
      const leftMs = endMs - clock.nowMs()
      if (this.#isClosed || leftMs <= 0 || this.#hasReturn()) return
      await sleep(Math.min(leftMs, RETURN_MS), clock, this.#closing.signal)
    }
  }

  /** Whether a member is up that was not up at the last look. */
  #hasReturn(): boolean {
    const members = this.#options.target()?.members ?? []
    return members.some(({ nodeId, link }) => !link.isSuspect && !this.#seen.has(nodeId))
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }
}
