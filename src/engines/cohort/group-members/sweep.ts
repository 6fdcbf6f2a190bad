/**
 * Removes in the background what is left over of group members (protocol.md §11): those of groups that were
 * deleted, and entries of the index without a group member. Every connector does this, and the connectors
 * need not know of each other: nothing is removed unless it is as it was when the grace time began.
 */
import type { Logger } from 'pino'
import { type Clock, sleep } from '../../../process/clock.ts'
import { type Outcome, UnreadableValueError } from '../../../register/operation.ts'
import type { Value } from '../../../register/state.ts'
import { successorKey } from '../../../rpc/key-order.ts'
import { fingerprintOfText, WaitingKeys } from '../../../upkeep/removal/waiting-keys.ts'
import type { RegisterWalk, WalkedPage } from '../register-walk.ts'
import { ENTRY_RANGE, MEMBER_RANGE, parseEntryKey, parseMemberKey } from './member-keys.ts'
import type { Leftover, MemberProtocol } from './member-protocol.ts'

export type SweepLimits = Readonly<{
  /** How many registers a page of a walk has. They are read and handled at the same time. */
  pageKeys: number
  /** How many registers are looked at in a second. */
  keysPerSecond: number
  /** How many things that wait are remembered. What finds no room is recorded when there is room. */
  waitingMax: number
  /** The pause between two walks is an eighth of the grace time, within these bounds. */
  pauseMsMin: number
  pauseMsMax: number
}>

export const SWEEP_LIMITS: SweepLimits = {
  pageKeys: 256,
  keysPerSecond: 5_000,
  waitingMax: 1_000_000,
  pauseMsMin: 100,
  pauseMsMax: 300_000,
}

export type SweepReport = Readonly<{ sweptCount: number; waitingCount: number }>

export type MemberSweepOptions = Readonly<{
  protocol: MemberProtocol
  walk: RegisterWalk
  /** Whether the cluster is found. */
  isReady: () => boolean
  graceMs: () => number
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  limits: SweepLimits
  logger: Pick<Logger, 'info' | 'debug'>
}>

type Held = Readonly<{ key: string; value: Value }>

export class MemberSweep {
  readonly #options: MemberSweepOptions
  readonly #waiting: WaitingKeys
  readonly #closing = new AbortController()
  #sweptCount = 0

  constructor(options: MemberSweepOptions) {
    this.#options = options
    this.#waiting = new WaitingKeys(options.limits.waitingMax)
  }

  get report(): SweepReport {
    return { sweptCount: this.#sweptCount, waitingCount: this.#waiting.size }
  }

  /** Walks until it is closed. */
  async run(): Promise<void> {
    const { random, limits, isReady, graceMs } = this.#options
    while (!this.#isClosed) {
      const canWalk = isReady()
      if (canWalk) await this.#walk()
      // Before the cluster is found, its grace time is not known.
      const restMs = canWalk ? graceMs() / 8 : 0
      const pauseMs = Math.min(limits.pauseMsMax, Math.max(limits.pauseMsMin, restMs))
      await this.#pause(pauseMs * (0.5 + random()))
    }
  }

  close(): void {
    this.#closing.abort()
  }

  async #walk(): Promise<void> {
    const before = this.#sweptCount
    const isWhole = (await this.#walkRange(MEMBER_RANGE)) && (await this.#walkRange(ENTRY_RANGE))
    if (isWhole) this.#waiting.endWalk()
    else this.#waiting.abortWalk()
    const removed = this.#sweptCount - before
    if (removed > 0) this.#options.logger.info({ removed }, 'removed what was left over of members of groups')
  }

  /** @returns whether the walk came to the end of the range */
  async #walkRange(range: Readonly<{ start: string; end: string }>): Promise<boolean> {
    const { walk, clock, limits } = this.#options
    let start: string | undefined = range.start
    while (start !== undefined) {
      const startMs = clock.nowMs()
      const page: Outcome<WalkedPage<Held>> = await walk.page({
        start,
        end: range.end,
        limit: limits.pageKeys,
        signal: this.#closing.signal,
        decode: (value, key) => (value === undefined ? undefined : { key, value }),
      })
      if (page.kind !== 'decided' || this.#isClosed) return false
      const { values } = page.result
      await this.#handle(values, startMs)
      start = startAfter(page.result)
      const tookMs = clock.nowMs() - startMs
      // The pause is as long as the work was, so that clients have the nodes for half of the time.
      if (start !== undefined)
        await this.#pause(Math.max(1, tookMs, (1_000 * values.length) / limits.keysPerSecond - tookMs))
      if (this.#isClosed) return false
    }
    return true
  }

  async #handle(held: readonly Held[], askedAtMs: number): Promise<void> {
    const { clock, graceMs, protocol } = this.#options
    const leftovers = await this.#find(held)
    const due = leftovers.filter(({ waitsFor }) => {
      const sinceMs = this.#waiting.see(fingerprintOfText(waitsFor), clock.nowMs())
      return sinceMs !== undefined && askedAtMs - sinceMs >= graceMs()
    })
    const removals = await Promise.all(due.map((leftover) => protocol.sweep(leftover)))
    this.#sweptCount += removals.filter(Boolean).length
  }

  /** Each group of the page is read once. It is read after the values. */
  async #find(held: readonly Held[]): Promise<readonly Leftover[]> {
    const { protocol, logger } = this.#options
    const lives = new Map<string, ReturnType<MemberProtocol['lifeOf']>>()
    const finding = held.map(async ({ key, value }): Promise<Leftover | undefined> => {
      const groupId = (parseMemberKey(key) ?? parseEntryKey(key))?.groupId
      if (groupId === undefined) return undefined
      const asked = lives.get(groupId) ?? protocol.lifeOf(groupId)
      lives.set(groupId, asked)
      const life = await asked
      if (life.kind !== 'decided') return undefined
      try {
        return await protocol.findLeftover(key, { value, life: life.result })
      } catch (err) {
        if (!(err instanceof UnreadableValueError)) throw err
        logger.debug({ err }, 'what a register holds for a group member cannot be read, so it stays')
        return undefined
      }
    })
    return (await Promise.all(finding)).filter((leftover) => leftover !== undefined)
  }

  #pause(pauseMs: number): Promise<void> {
    return sleep(pauseMs, this.#options.clock, this.#closing.signal)
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }
}

/** Where the next page begins. `undefined`: this was the last page. */
function startAfter({ after }: WalkedPage<Held>): string | undefined {
  return after === undefined ? undefined : successorKey(after)
}
