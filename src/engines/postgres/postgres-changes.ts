/**
 * Follows the changes of groups in a database: while somebody follows, it asks for the rows that have
 * changed, many times a second. That costs writers nothing; a notification for each change would cost much.
 */
import type { Logger } from 'pino'
import type { ChangesReport } from '../../changes/changes-metrics.ts'
import { KnownGroups } from '../../changes/known-groups.ts'
import { etagOf } from '../../group/etag.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import type { Change, Changes, ChangesListener, Following } from '../engine.ts'
import { type ChangedGroup, readChanged, snapshotOf } from './changed-rows.ts'
import { type DatabasePlace, decodeDatabasePlace, encodeDatabasePlace, isSameHistory } from './place.ts'
import { isUndone } from './problems.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** How often it asks. */
const POLL_MS = 50
/** If nothing was read for so long, changes may be missed for longer than clients are promised. */
const SILENCE_MS_MAX = 4_000
/** How soon a place that says nothing new moves on. */
const PLACE_MS = 5_000

export type PostgresChangesOptions = Readonly<{
  sessions: Pick<Sessions, 'acquire' | 'release'>
  clock: Clock
  /** The longest time of one answer, in milliseconds. */
  timeoutMs: number
  logger: Pick<Logger, 'info' | 'warn'>
}>

export class PostgresChanges implements Changes {
  readonly #options: PostgresChangesOptions
  readonly #known = new KnownGroups()
  readonly #followed = new Set<FollowedChanges>()
  readonly #counts = { changeCount: 0, lostCount: 0 }

  constructor(options: PostgresChangesOptions) {
    this.#options = options
  }

  get report(): ChangesReport {
    const all = [...this.#followed]
    const [first] = all
    return {
      ...this.#counts,
      isFollowing: first !== undefined,
      isCovered: first !== undefined && all.every(({ isCovered }) => isCovered),
      lagMs: first?.lagMs,
    }
  }

  follow(listener: ChangesListener): Following {
    const following = new FollowedChanges(this.#options, {
      known: this.#known,
      counts: this.#counts,
      listener,
      onClosed: () => this.#followed.delete(following),
    })
    this.#followed.add(following)
    void following.run()
    return following
  }

  close(): void {
    for (const following of [...this.#followed]) following.close()
  }
}

type Follower = Readonly<{
  known: KnownGroups
  counts: { changeCount: number; lostCount: number }
  listener: ChangesListener
  onClosed: () => void
}>

class FollowedChanges implements Following {
  readonly #options: PostgresChangesOptions
  readonly #follower: Follower
  readonly #closing = new AbortController()
  #place: DatabasePlace | undefined
  #text: string | undefined
  #placedAtMs = 0
  /** When the last question was asked that was answered. */
  #askedAtMs: number

  constructor(options: PostgresChangesOptions, follower: Follower) {
    this.#options = options
    this.#follower = follower
    this.#askedAtMs = options.clock.nowMs()
  }

  get isCovered(): boolean {
    return this.#place !== undefined
  }

  get place(): string | undefined {
    if (this.#place === undefined) return undefined
    this.#text ??= encodeDatabasePlace(this.#place)
    return this.#text
  }

  /** How old the moment is up to which everything is known. */
  get lagMs(): number | undefined {
    return this.isCovered ? this.#options.clock.nowMs() - this.#askedAtMs : undefined
  }

  async run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      const cancel = clock.after(SILENCE_MS_MAX, () => this.#lose('the database did not answer in time'))
      await this.#attempt((session) => this.#round(session))
      cancel()
      await sleep(POLL_MS, clock, signal)
    }
  }

  async since(place: string, give: (changes: readonly Change[]) => Promise<void>): Promise<boolean> {
    const from = decodeDatabasePlace(place)
    if (from === undefined) return false
    const goesOn = await this.#attempt(async (session) => {
      if (!isSameHistory(from, session)) return false
      const { snapshot } = from
      const { timeoutMs: limitMs } = this.#options
      return readChanged(session, { snapshot, limitMs }, (groups) =>
        give(groups.flatMap((group) => this.#changeOf(group) ?? [])),
      )
    })
    return goesOn === true && !this.#closing.signal.aborted
  }

  close(): void {
    this.#closing.abort()
    this.#place = undefined
    this.#follower.onClosed()
  }

  /** Works on a session. `undefined`: there is none, or it broke. */
  async #attempt<T>(work: (session: Session) => Promise<T>): Promise<T | undefined> {
    const { sessions, clock, timeoutMs } = this.#options
    let session: Session
    try {
      session = await sessions.acquire(clock.nowMs() + timeoutMs)
    } catch {
      return undefined
    }
    try {
      return await work(session)
    } catch (error) {
      // A place of a client may have numbers that are none.
      if (!isUndone(error)) session.broken ??= error as Error
      return undefined
    } finally {
      sessions.release(session)
    }
  }

  async #round(session: Session): Promise<void> {
    const { clock, timeoutMs: limitMs } = this.#options
    const { signal } = this.#closing
    const askedAtMs = clock.nowMs()
    const { systemId, timeline } = session
    if (this.#place !== undefined && !isSameHistory(this.#place, session)) {
      this.#lose('another server is the primary')
    }
    const from = this.#place
    const snapshot = await snapshotOf(session, limitMs)
    if (from === undefined) {
      await session.confirm(limitMs)
      if (signal.aborted) return
      this.#moveTo({ systemId, timeline, snapshot }, askedAtMs)
      return this.#follower.listener.onCovered()
    }
    let hasChanged = false
    if (snapshot !== from.snapshot) {
      const isWhole = await readChanged(session, { snapshot: from.snapshot, limitMs }, (groups) => {
        hasChanged = true
        if (this.#place === from) for (const group of groups) this.#giveOut(group)
      })
      if (this.#place !== from || signal.aborted) return
      if (!isWhole) return this.#lose('tombstones were removed before they were read')
    }
    this.#askedAtMs = askedAtMs
    const isOld = askedAtMs - this.#placedAtMs > PLACE_MS
    if (!hasChanged && (!isOld || snapshot === from.snapshot)) return
    await session.confirm(limitMs)
    if (this.#place === from) this.#moveTo({ systemId, timeline, snapshot }, askedAtMs)
  }

  #moveTo(place: DatabasePlace, atMs: number): void {
    this.#place = place
    this.#text = undefined
    this.#placedAtMs = atMs
    this.#askedAtMs = atMs
  }

  /** Gives up the past. The next round begins anew. */
  #lose(reason: string): void {
    if (this.#place === undefined) return
    this.#place = undefined
    this.#follower.counts.lostCount += 1
    this.#options.logger.warn(`changes may have been missed: ${reason}`)
    this.#follower.listener.onLost()
  }

  #giveOut(changed: ChangedGroup): void {
    const { known, counts, listener } = this.#follower
    const change = this.#changeOf(changed)
    if (change === undefined) return
    if (change.group !== undefined) {
      const etag = etagOf(change.group)
      // No two states of a group have the same tag.
      if (etag === change.lastEtag) return
      known.set(change.groupId, etag)
    }
    counts.changeCount += 1
    listener.onChange(change)
  }

  /** `undefined`: the group cannot be read, which every operation on it reports. */
  #changeOf({ groupId, group }: ChangedGroup): Change | undefined {
    if (group === 'unreadable') return undefined
    return { groupId, group, lastEtag: this.#follower.known.etagOf(groupId) }
  }
}
