import type { ClusterFollowing } from '../../engines/cohort/changes/cluster-changes.ts'
import type { ChangesListener, Following } from '../../engines/engine.ts'
import { WatchHub } from '../../http/v1/watch/watch-hub.ts'
import type { WatchSink } from '../../http/v1/watch/watcher.ts'
import { Watcher } from '../../http/v1/watch/watcher.ts'
import type { Chance } from '../chance.ts'
import type { ConnectorProcess } from './connector-process.ts'

/** What a client holds of a group: its entity tag. No entry: no group. */
type Held = Map<string, string>

/** A client that watches all groups at one connector after the other, and holds what it was told. */
export class WatchingClient {
  readonly held: Held = new Map()
  /** Counts for the report. */
  readonly counts = { resets: 0, resumes: 0, events: 0 }
  readonly #chance: Chance
  #connector: ConnectorProcess | undefined
  #following: ClusterFollowing | undefined
  #watcher: Watcher | undefined
  #hub: WatchHub | undefined
  #place: string | undefined
  /** Whether the client has been told that it has everything, and was not reset since then. */
  #isSynced = false

  constructor(chance: Chance) {
    this.#chance = chance
  }

  get connector(): ConnectorProcess | undefined {
    return this.#connector
  }

  /**
   * Everything that was chosen before this time of the connector's clock is in what the client holds.
   * `undefined`: it is not known.
   */
  get settledMs(): number | undefined {
    // What was given out and not yet sent.
    this.#hub?.flush()
    return this.#isSynced && this.#watcher?.isSynced ? this.#following?.settledMs : undefined
  }

  /** Goes to another connector, and goes on there with its place if it has one. */
  connect(connector: ConnectorProcess): void {
    this.disconnect()
    this.#connector = connector
    const hub = new WatchHub({
      changes: { follow: (listener) => this.#follow(connector, listener) },
      registry: connector.registry,
      clock: connector.clock,
    })
    this.#hub = hub
    if (this.#place === undefined) this.#forget()
    else this.counts.resumes += 1
    const watcher = new Watcher({
      hub,
      filter: { text: '', prefix: '', isWanted: undefined },
      hasInitial: true,
      after: this.#place,
      sink: this.#sink(connector),
      caller: this,
      clock: connector.clock,
    })
    this.#watcher = watcher
    // A connector that is stopped does this when it goes on. The client may have left by then.
    connector.clock.run(() => {
      if (this.#watcher === watcher) watcher.start()
    })
  }

  /** The connection ends, wherever the client was. */
  disconnect(): void {
    this.#watcher?.close()
    this.#following?.close()
    this.#watcher = undefined
    this.#hub = undefined
    this.#following = undefined
    this.#connector = undefined
    // With a place, it holds everything up to there; without one, it begins again.
    this.#isSynced = false
  }

  #follow(connector: ConnectorProcess, listener: ChangesListener): Following {
    this.#following = connector.changes.follow(listener)
    return this.#following
  }

  #sink(connector: ConnectorProcess): WatchSink {
    const isMine = () => this.#connector === connector
    return {
      begin: () => {},
      refuse: () => {
        if (isMine()) this.disconnect()
      },
      send: (text) => {
        if (isMine()) for (const block of String(text).split('\n\n')) this.#take(block)
      },
      // A client reads at once, or a little later.
      isReady: false,
      ready: () =>
        new Promise((resolve) => void connector.clock.after(this.#chance.uniform() * 5, () => resolve())),
    }
  }

  #take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]))
    const kind = fields.get('event')
    const id = fields.get('id')
    if (id !== undefined) this.#place = id === '' ? undefined : id
    // A place that comes with no event shows that everything before it was sent.
    if (kind === undefined) {
      if (id) this.#isSynced = true
      return
    }
    const data = JSON.parse(fields.get('data')!)
    this.counts.events += 1
    if (kind === 'group') this.held.set(data.group.groupId, data.etag)
    else if (kind === 'group-deleted') this.held.delete(data.groupId)
    else if (kind === 'synced') this.#isSynced = true
    else {
      this.counts.resets += 1
      this.#forget()
    }
  }

  #forget(): void {
    this.#isSynced = false
    this.held.clear()
  }
}
