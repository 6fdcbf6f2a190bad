import { GROUP_NAMESPACE } from '../../engines/cohort/group-registry.ts'
import { etagOf } from '../../group/etag.ts'
import { decodeGroup } from '../../group/group-codec.ts'
import type { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { ConnectorProcess } from './connector-process.ts'
import type { Observer } from './observer.ts'
import type { Stage } from './stage.ts'
import { WatchingClient } from './watching-client.ts'

export type WatchersOptions = Readonly<{
  stage: Stage
  /** A generator of its own, so that the same seed gives the same run of everything else. */
  chance: Chance
  observer: Observer
  groupIds: readonly string[]
  connectors: () => readonly ConnectorProcess[]
}>

/** How many clients watch. */
const CLIENTS = 2

/** The time between two looks at what the clients hold. */
const LOOK_MS = 7

/** The longest time in which a client has everything when nothing fails. */
const SETTLE_MS = 60_000

/** What was chosen: since when, and the number of writes before it. */
type Chosen = Readonly<{ atMs: number; depth: number }>

/**
 * Clients that watch the groups. They prove that no change is missed: whatever was chosen before the moment
 * up to which a connector has told everything is in what its client holds, or something newer is.
 */
export class Watchers {
  readonly #options: WatchersOptions
  readonly #clients: WatchingClient[] = []
  /** By group, oldest first. */
  readonly #chosen = new Map<string, Chosen[]>()
  #isOver = false

  constructor(options: WatchersOptions) {
    this.#options = options
    for (const groupId of options.groupIds) this.#chosen.set(groupId, [])
    options.observer.onVoted = (key) => this.#noteChosen(key)
    for (let index = 0; index < CLIENTS; index += 1) this.#clients.push(new WatchingClient(options.chance))
  }

  /** What the clients have met, for a report. */
  get counts() {
    const sum = { resets: 0, resumes: 0, events: 0 }
    for (const { counts } of this.#clients)
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name]
    return sum
  }

  start(): void {
    this.#options.stage.timeline.after(LOOK_MS, () => {
      if (this.#isOver) return
      for (const client of this.#clients) this.#look(client)
      this.start()
    })
  }

  /** Proves that all clients soon hold exactly what there is, when nothing changes and nothing fails. */
  async prove(): Promise<void> {
    const { stage } = this.#options
    const lacking = () =>
      this.#clients.map((client) => this.#lacks(client)).find((text) => text !== undefined)
    await stage.runUntil(stage.timeline.nowMs + SETTLE_MS, () => lacking() === undefined)
    const text = lacking()
    if (stage.failure === undefined && text !== undefined)
      throw new Violation('a client that watches holds what there is', text)
  }

  /** The clients leave. */
  end(): void {
    this.#isOver = true
    for (const client of this.#clients) client.disconnect()
  }

  #noteChosen(key: string): void {
    if (!key.startsWith(GROUP_NAMESPACE)) return
    const groupId = key.slice(GROUP_NAMESPACE.length)
    const { depth } = this.#options.observer.group(groupId)
    const chosen = this.#chosen.get(groupId)!
    if (depth > (chosen.at(-1)?.depth ?? 0)) chosen.push({ atMs: this.#options.stage.timeline.nowMs, depth })
  }

  #look(client: WatchingClient): void {
    const { chance, connectors, stage } = this.#options
    const ready = connectors().filter(({ isReady }) => isReady)
    if (ready.length === 0) return
    const isLost = client.connector === undefined || client.connector.isDead
    if (isLost || chance.happens(0.002)) client.connect(chance.of(ready))
    else {
      try {
        this.#check(client)
      } catch (error) {
        stage.fail(error)
      }
    }
  }

  #check(client: WatchingClient): void {
    const { settledMs, connector } = client
    if (settledMs === undefined || connector === undefined) return
    const { observer, stage } = this.#options
    const settledAtMs = stage.timeline.nowMs - (connector.clock.nowMs() - settledMs)
    for (const [groupId, chosen] of this.#chosen) {
      const due = chosen.findLast(({ atMs }) => atMs < settledAtMs)
      if (due === undefined) continue
      const held = client.held.get(groupId)
      const isThere = [...observer.group(groupId).valuesFrom(due.depth)].some(
        (value) => tagOf(value) === held,
      )
      if (isThere) continue
      const text = `${connector.name} has told everything until ${settledAtMs.toFixed(3)}, and its client holds ${held ?? 'no group'} ${groupId}, which is older than what was chosen at ${due.atMs.toFixed(3)}`
      throw new Violation('no change is missed', text)
    }
  }

  #lacks(client: WatchingClient): string | undefined {
    for (const groupId of this.#options.groupIds) {
      const held = client.held.get(groupId)
      const now = tagOf(this.#options.observer.group(groupId).value)
      if (held !== now) return `${groupId} is ${now ?? 'no group'}, and a client holds ${held ?? 'no group'}`
    }
    return client.settledMs === undefined ? 'a client is not told that it has everything' : undefined
  }
}

function tagOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : etagOf(decodeGroup(value))
}
