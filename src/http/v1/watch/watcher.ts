/**
 * One client that watches. It knows no socket: what the client is sent goes to a sink.
 *
 * While the client is given what it lacks (a list, or what has changed since its place), changes go to it at
 * once. A state that was read before such a change, and comes after it, is left out: so the states of each
 * group come in their order.
 */
import type { Group } from '../../../group/group.ts'
import type { Clock } from '../../../process/clock.ts'
import type { Place, Worker } from './places.ts'
import { eventOf, type ResetReason, type WatchFilter, writeEvent, writePlace } from './watch-event.ts'
import type { HubListener, WatchHub, WrittenChanges } from './watch-hub.ts'

/** Where the text for the client goes. */
export interface WatchSink {
  /** The watch has begun: from now on every change is sent. Called once, before the first `send`. */
  begin(): void
  /** The watch cannot begin: the changes cannot be followed. Called instead of `begin`. */
  refuse(): void
  send(text: string | Buffer): void
  /** Whether the client has read so much that a list may go on. */
  readonly isReady: boolean
  /** Resolves when `isReady` is true, or the watch has ended. */
  ready(): Promise<void>
}

export type WatcherOptions = Readonly<{
  hub: WatchHub
  filter: WatchFilter
  /** Whether the client wants all groups that are there first. */
  hasInitial: boolean
  /** The place from which the client goes on. */
  after: string | undefined
  sink: WatchSink
  /** Who watches: callers take turns in reading lists. */
  caller: unknown
  clock: Pick<Clock, 'after'>
}>

/** How long a watch waits until the changes are followed. */
const COVERED_WAIT_MS = 15_000

/** Groups in one step of a list. */
const PAGE_GROUPS = 200

/** The pause before a list that has failed begins again. */
const RETRY_MS = 200

export class Watcher implements HubListener {
  readonly filter: WatchFilter
  readonly #options: WatcherOptions
  /** What the client goes on from, if it was told. */
  #place: string | undefined
  /** Groups that have changed since the state was read that comes next. */
  #touched: Set<string> | undefined
  /** Each sync has a number. One that was lost, or closed, is not the present one any more. */
  #sync = 0
  #isSynced = false
  #hasBegun = false
  #isClosed = false
  #cancelWait: (() => void) | undefined

  constructor(options: WatcherOptions) {
    this.#options = options
    this.filter = options.filter
  }

  /** Whether the client has been given everything, and only waits for changes. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  start(): void {
    const { hub, clock } = this.#options
    hub.add(this)
    if (hub.isCovered) return this.#begin()
    this.#cancelWait = clock.after(COVERED_WAIT_MS, () => {
      this.close()
      this.#options.sink.refuse()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#sync += 1
    this.#cancelWait?.()
    this.#options.hub.remove(this)
  }

  // What the hub tells --------------------------------------------------------------------------------------

  onEvents({ text, textWithPlace, place, groupIds }: WrittenChanges): void {
    if (!this.#hasBegun) return
    if (this.#touched !== undefined) for (const groupId of groupIds) this.#touched.add(groupId)
    if (!this.#isSynced) return this.#options.sink.send(text)
    this.#place = place
    this.#options.sink.send(textWithPlace)
  }

  onPlace(place: string): void {
    if (!this.#isSynced || this.#place === place) return
    this.#place = place
    this.#options.sink.send(writePlace(place))
  }

  onHeartbeat(): void {
    if (this.#hasBegun) this.#options.sink.send(': nothing new\n\n')
  }

  onCovered(): void {
    if (!this.#hasBegun) this.#begin()
    else if (this.#options.hasInitial) void this.#list()
    else {
      // What was changed since the first reset may have been missed.
      this.#reset('coverage_lost')
      this.#synced()
    }
  }

  onLost(): void {
    if (this.#hasBegun) this.#reset('coverage_lost')
  }

  // What the client lacks -----------------------------------------------------------------------------------

  #begin(): void {
    const { after, hasInitial, sink } = this.#options
    this.#hasBegun = true
    this.#cancelWait?.()
    sink.begin()
    if (after !== undefined) void this.#goOn(after)
    else if (hasInitial) void this.#list()
    else this.#synced()
  }

  async #goOn(place: string): Promise<void> {
    const { hub, sink, hasInitial } = this.#options
    const sync = this.#newSync()
    const goesOn = await hub.syncs.run(this.#worker, async (turn) => {
      if (sync !== this.#sync) return false
      this.#touched = new Set()
      return hub.since(place, async (changes) => {
        if (sync !== this.#sync) return
        hub.flush()
        for (const change of changes) {
          if (sync !== this.#sync) return
          const event = this.#touched?.has(change.groupId) ? undefined : eventOf(change, this.filter)
          if (event === undefined) continue
          sink.send(writeEvent(event))
          if (!sink.isReady) await turn.rest(sink.ready())
        }
        await turn.pass()
        // Those that change from now on may be among what is read next.
        this.#touched = new Set()
      })
    })
    if (sync !== this.#sync) return
    if (goesOn) return this.#synced()
    this.#reset('place_lost')
    if (hasInitial) await this.#list()
    else this.#synced()
  }

  async #list(): Promise<void> {
    const { hub, sink, clock } = this.#options
    const sync = this.#newSync()
    await hub.syncs.run(this.#worker, async (turn) => {
      let after: string | undefined
      for (;;) {
        await turn.pass()
        if (sync !== this.#sync) return
        this.#touched = new Set()
        const { prefix, isWanted } = this.filter
        const outcome = await hub.registry.scan({ after, limit: PAGE_GROUPS, prefix, isWanted })
        if (sync !== this.#sync) return
        if (outcome.kind !== 'done') {
          await new Promise<void>((resolve) => void clock.after(RETRY_MS, resolve))
          continue
        }
        hub.flush()
        const last = await this.#giveAll(outcome.value.groups, sync, turn)
        after = last ?? outcome.value.after
        if (after === undefined) break
      }
      if (sync !== this.#sync) return
      sink.send(writeEvent({ kind: 'synced' }))
      this.#synced()
    })
  }

  /**
   * Gives a page of a list to the client, one group at a time: a page of large groups is more than may wait
   * for a client. A client that reads slowly keeps no place, and nothing that was read for it.
   *
   * @returns the last group that was given, if the rest of the page must be read again
   */
  async #giveAll(groups: readonly Group[], sync: number, turn: Place): Promise<string | undefined> {
    const { sink } = this.#options
    for (const group of groups) {
      if (sync !== this.#sync) return undefined
      if (this.#touched!.has(group.groupId)) continue
      sink.send(writeEvent({ kind: 'group', group }))
      if (!sink.isReady && (await turn.rest(sink.ready()))) return group.groupId
    }
    return undefined
  }

  get #worker(): Worker {
    return { caller: this.#options.caller, connection: this }
  }

  #newSync(): number {
    this.#sync += 1
    this.#isSynced = false
    return this.#sync
  }

  /** The client has everything up to now. */
  #synced(): void {
    if (this.#isClosed) return
    // The place has all changes that are collected.
    this.#options.hub.flush()
    this.#touched = undefined
    this.#isSynced = true
    this.#options.hub.tellPlaces()
  }

  #reset(reason: ResetReason): void {
    this.#newSync()
    this.#place = undefined
    this.#options.sink.send(writeEvent({ kind: 'reset', reason }))
  }
}
