/**
 * Gives the changes that the engine tells to all who watch. The engine is followed once, while somebody
 * watches and for a short time afterwards. An event is written as text once for all watchers with the same
 * filter.
 */
import type { Change, Changes, Following } from '../../../engines/engine.ts'
import type { Registry } from '../../../group/registry.ts'
import type { Clock } from '../../../process/clock.ts'
import { Places } from './places.ts'
import { eventOf, type WatchFilter, writeEvent, writePlace } from './watch-event.ts'

/** Changes that a filter shows. All watchers with the filter get the same bytes. */
export type WrittenChanges = Readonly<{
  /** The events. */
  text: Buffer
  /** The events, and after them the place that has them. */
  textWithPlace: Buffer
  /** `undefined`: there is none now, and `textWithPlace` is the events alone. */
  place: string | undefined
  /** The groups that have changed, also those that the filter does not show. */
  groupIds: ReadonlySet<string>
}>

/** What the hub gives to one who watches. */
export type HubListener = Readonly<{
  filter: WatchFilter
  onEvents: (changes: WrittenChanges) => void
  /** Everything that was given so far is in this place. */
  onPlace: (place: string) => void
  onCovered: () => void
  onLost: () => void
  onHeartbeat: () => void
}>

export type WatchHubOptions = Readonly<{
  changes: Changes
  registry: Pick<Registry, 'scan'>
  clock: Pick<Clock, 'nowMs' | 'after'>
}>

/**
 * How long changes are collected before they are given to those who watch: the longer the more watch, because
 * each of them costs a write. With 1,000 and more it is a tenth of a second.
 */
const FLUSH_MS_MIN = 10
const FLUSH_MS_MAX = 100
const FLUSH_MS_PER_WATCHER = 0.1

/** How soon a client that has everything is told its place. */
const PLACE_MS = 50

/** How long the engine is followed when nobody watches any more. */
const LINGER_MS = 10_000

export const HEARTBEAT_MS = 15_000

/** How many watchers read a list, or catch up, at the same time. */
const SYNCS_MAX = 4

export class WatchHub {
  readonly registry: Pick<Registry, 'scan'>
  /** Few lists at a time: each one occupies all nodes. */
  readonly syncs: Places
  readonly #changes: Changes
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>
  readonly #listeners = new Set<HubListener>()
  #following: Following | undefined
  /** The last change of each group. The states in between are left out. */
  #collected = new Map<string, Change>()
  #cancelFlush: (() => void) | undefined
  #cancelPlaces: (() => void) | undefined
  #cancelLinger: (() => void) | undefined
  #cancelHeartbeat: (() => void) | undefined
  #eventCount = 0

  constructor({ changes, registry, clock }: WatchHubOptions) {
    this.#changes = changes
    this.registry = registry
    this.#clock = clock
    this.syncs = new Places(SYNCS_MAX, clock)
  }

  get watcherCount(): number {
    return this.#listeners.size
  }

  /** Events that were given to watchers, each counted for every watcher. */
  get eventCount(): number {
    return this.#eventCount
  }

  /** Whether every change is given from now on. */
  get isCovered(): boolean {
    return this.#following?.isCovered ?? false
  }

  get place(): string | undefined {
    return this.#following?.place
  }

  /** From now on the listener is called. */
  add(listener: HubListener): void {
    this.#cancelLinger?.()
    this.#cancelLinger = undefined
    // What was collected before belongs to those who were here before.
    this.flush()
    this.#listeners.add(listener)
    this.#following ??= this.#changes.follow({
      onChange: (change) => this.#onChange(change),
      onCovered: () => {
        for (const each of [...this.#listeners]) each.onCovered()
      },
      onLost: () => {
        this.flush()
        for (const each of [...this.#listeners]) each.onLost()
      },
    })
    this.#cancelHeartbeat ??= this.#clock.after(HEARTBEAT_MS, () => this.#beat())
  }

  remove(listener: HubListener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0 || this.#cancelLinger !== undefined) return
    this.#cancelLinger = this.#clock.after(LINGER_MS, () => this.close())
  }

  /** As `Following.since`. */
  async since(place: string, give: (changes: readonly Change[]) => Promise<void>): Promise<boolean> {
    return this.#following?.since(place, give) ?? false
  }

  /** Follows the engine no more. Those who watch must have been removed. */
  close(): void {
    this.#following?.close()
    this.#following = undefined
    for (const cancel of [this.#cancelFlush, this.#cancelPlaces, this.#cancelLinger, this.#cancelHeartbeat])
      cancel?.()
    this.#cancelFlush = undefined
    this.#cancelPlaces = undefined
    this.#cancelLinger = undefined
    this.#cancelHeartbeat = undefined
    this.#collected = new Map()
  }

  /** Tells all listeners the place soon, and as soon as there is one. */
  tellPlaces(): void {
    this.#cancelPlaces ??= this.#clock.after(PLACE_MS, () => {
      this.#cancelPlaces = undefined
      this.flush()
      const { place } = this
      if (place === undefined) {
        if (this.isCovered) this.tellPlaces()
        return
      }
      for (const listener of [...this.#listeners]) listener.onPlace(place)
    })
  }

  #onChange(change: Change): void {
    this.#collected.set(change.groupId, change)
    this.#cancelFlush ??= this.#clock.after(this.#flushMs, () => this.flush())
  }

  get #flushMs(): number {
    return Math.min(FLUSH_MS_MAX, Math.max(FLUSH_MS_MIN, this.#listeners.size * FLUSH_MS_PER_WATCHER))
  }

  /** Gives what was collected now. */
  flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const collected = this.#collected
    if (collected.size === 0) return
    this.#collected = new Map()
    const groupIds = new Set(collected.keys())
    const byFilter = new Map<string, Readonly<{ changes: WrittenChanges; count: number }>>()
    const { place } = this
    for (const listener of [...this.#listeners]) {
      const { filter } = listener
      let written = byFilter.get(filter.text)
      if (written === undefined) {
        const { text, count } = write(collected.values(), filter)
        const end = place === undefined ? '' : writePlace(place)
        const textWithPlace = Buffer.from(text + end)
        // The events alone are the beginning of the same bytes.
        const events = textWithPlace.subarray(0, textWithPlace.length - Buffer.byteLength(end))
        written = { changes: { text: events, textWithPlace, place, groupIds }, count }
        byFilter.set(filter.text, written)
      }
      if (written.count === 0) continue
      this.#eventCount += written.count
      listener.onEvents(written.changes)
    }
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.after(HEARTBEAT_MS, () => this.#beat())
    this.flush()
    const { place } = this
    for (const listener of [...this.#listeners]) {
      if (place !== undefined) listener.onPlace(place)
      listener.onHeartbeat()
    }
  }
}

function write(changes: Iterable<Change>, filter: WatchFilter): Readonly<{ text: string; count: number }> {
  let text = ''
  let count = 0
  for (const change of changes) {
    const event = eventOf(change, filter)
    if (event === undefined) continue
    text += writeEvent(event)
    count += 1
  }
  return { text, count }
}
