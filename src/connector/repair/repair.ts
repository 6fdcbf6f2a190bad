/**
 * Keeps nodes equal in the background (protocol.md §5): compares their digests again and again, and repairs the keys in
 * which they differ for longer than a write takes. Every connector runs one. They need not know of each other: what
 * one has repaired the others find equal, and each begins somewhere else.
 */
import type { Logger } from 'pino'
import { type DifferingKey, differingKeys } from './differing-keys.ts'
import { type Look, lookAtDigests } from './digest-look.ts'
import { type KeyRepairOptions, repairScanned } from './key-repair.ts'
import { LeafWatch } from './leaf-watch.ts'
import { Pace } from './pace.ts'
import { Pass } from './pass.ts'
import { RepairFigures, type RepairReport } from './repair-report.ts'
import type { RepairMember, RepairTarget } from './repair-target.ts'
import { shuffle } from './shuffle.ts'
import { Slots } from './slots.ts'

export type RepairLimits = Readonly<{
  /** Between two comparisons; each time drawn between half of it and one and a half. */
  intervalMs: number
  /** To the second look at what differs. Longer than a write takes. */
  secondLookMs: number
  /** How many leaves are repaired at once, drawn from those that are due. */
  leavesPerPassMax: number
  /** Keys under repair at once. */
  keysInFlightMax: number
  /** Keys whose repair begins in a second: clients need the nodes too. */
  keysPerSecondMax: number
}>

export const REPAIR_LIMITS: RepairLimits = {
  intervalMs: 1_000,
  secondLookMs: 300,
  leavesPerPassMax: 65_536,
  keysInFlightMax: 256,
  keysPerSecondMax: 6_000,
}

export type RepairOptions = KeyRepairOptions &
  Readonly<{
    /** The cluster as it is now; `undefined` while there is none. */
    target: () => RepairTarget | undefined
    /** Uniform in [0, 1). */
    random: () => number
    limits: RepairLimits
    logger: Pick<Logger, 'info' | 'debug'>
  }>

/** How often a pause looks whether a node has returned. */
const RETURN_MS = 100
/** How many times as long as a pass has waited for its scans the pause lasts that follows it. */
const SCAN_REST = 2

export class Repair {
  readonly #options: RepairOptions
  readonly #watch = new LeafWatch()
  readonly #figures = new RepairFigures()
  #isClosed = false
  /** The members that were up at the last look. */
  #seen = new Set<string>()
  #endPause: (() => void) | undefined

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
      const { isMoreDue, differs, scanMs } = await this.#step()
      // What differs is looked at again soon, and then with the next comparison: by then it was writes on their way.
      const isSecondLook: boolean = isMoreDue || (differs && !wasSecondLook)
      wasSecondLook = isSecondLook
      // A pass reads all keys of the nodes, however few it needs.
      const pauseMs = isSecondLook
        ? limits.secondLookMs - (clock.nowMs() - startMs)
        : Math.max(limits.intervalMs, SCAN_REST * scanMs)
      await this.#pause(pauseMs * (0.5 + random()))
    }
  }

  close(): void {
    this.#isClosed = true
    this.#endPause?.()
  }

  /** One comparison, and the repair of some of what it finds due. */
  async #step(): Promise<Readonly<{ isMoreDue: boolean; differs: boolean; scanMs: number }>> {
    const { target: getTarget, random, clock, limits } = this.#options
    const target = getTarget()
    this.#seen = new Set(target?.members.filter(({ link }) => !link.isSuspect).map(({ nodeId }) => nodeId))
    const look = target === undefined ? undefined : await lookAtDigests(target, random)
    if (target === undefined || look === undefined) {
      this.#figures.notCompared()
      return { isMoreDue: false, differs: false, scanMs: 0 }
    }
    const due = this.#watch.observe(look)
    this.#figures.compared(look.members, this.#watch.stillCount, clock.nowMs())
    const scanMs = due.length > 0 ? await this.#pass(target, look, due) : 0
    return { isMoreDue: due.length > limits.leavesPerPassMax, differs: look.leaves.size > 0, scanMs }
  }

  /** Repairs some of the leaves that are due. Returns how long it has waited for the nodes to find what differs. */
  async #pass(target: RepairTarget, { members }: Look, due: readonly number[]): Promise<number> {
    const { clock, random, limits, logger } = this.#options
    const leaves = new Set(shuffle(due, random).slice(0, limits.leavesPerPassMax))
    const pass = new Pass(members)
    const slots = new Slots(limits.keysInFlightMax)
    const pace = new Pace(limits.keysPerSecondMax, clock)
    let scanMs = 0
    let waitingSinceMs = clock.nowMs()
    try {
      for await (const keys of differingKeys(target, members, leaves, clock)) {
        scanMs += clock.nowMs() - waitingSinceMs
        for (const differing of keys) {
          pass.found(differing)
          await pace.take()
          await slots.take()
          if (this.#isClosed || this.#options.target()?.client !== target.client) return scanMs
          void this.#repair(target, members, differing, pass).finally(() => slots.release())
        }
        waitingSinceMs = clock.nowMs()
      }
      scanMs += clock.nowMs() - waitingSinceMs
      await slots.idle()
      // What failed for want of an answer is due again with the next look.
      if (pass.outcomes.failed === 0) this.#watch.tried(leaves)
      this.#figures.passed(pass, leaves.size)
    } catch (err) {
      logger.debug({ err }, 'a pass of repair was interrupted')
      await slots.idle()
    }
    if (pass.repairedCount > 0) logger.info(pass.outcomes, 'repaired keys in which nodes differed')
    return scanMs
  }

  async #repair(
    target: RepairTarget,
    scanned: readonly RepairMember[],
    { key, records }: DifferingKey,
    pass: Pass,
  ): Promise<void> {
    const byMember = target.members.map((member) => records[scanned.indexOf(member)])
    const outcome = await repairScanned(target, { key, records: byMember }, this.#options)
    pass.count(outcome)
    this.#figures.count(outcome)
  }

  /** Waits, but no longer than until a node is there that was not at the last look. */
  #pause(pauseMs: number): Promise<void> {
    const { clock, target } = this.#options
    const endMs = clock.nowMs() + pauseMs
    return new Promise((resolve) => {
      const check = (): void => {
        const isBack = target()?.members.some(
          ({ nodeId, link }) => !link.isSuspect && !this.#seen.has(nodeId),
        )
        const leftMs = endMs - clock.nowMs()
        if (this.#isClosed || isBack || leftMs <= 0) resolve()
        else cancel = clock.after(Math.min(leftMs, RETURN_MS), check)
      }
      let cancel = (): void => {}
      this.#endPause = () => {
        cancel()
        resolve()
      }
      check()
    })
  }
}
