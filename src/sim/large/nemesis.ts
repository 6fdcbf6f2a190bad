import type { Chance } from '../chance.ts'
import type { ConnectorProcess } from './connector-process.ts'
import type { MemoryStore } from './memory-store.ts'
import type { NodeProcess } from './node-process.ts'
import type { Timeline } from './timeline.ts'

/** What can be harmed. Connectors are looked up anew: they are replaced. */
export type Targets = Readonly<{
  nodes: readonly NodeProcess[]
  stores: readonly MemoryStore[]
  connectors: readonly ConnectorProcess[]
  replace: (connector: number) => void
  haveClocksThatJump: boolean
  /** So long between two faults, on average; `undefined`: much less, for some of the runs. */
  calmMs: number | undefined
  tell: (line: string) => void
}>

const KINDS = [
  'reset',
  'cut',
  'crash',
  'crash in a turn',
  'stop',
  'stop connector',
  'slow',
  'replace',
  'jump',
] as const

/**
 * Draws faults, one after the other, until it is told to heal everything. Which kinds, and how often, is
 * drawn once.
 */
export class Nemesis {
  readonly #chance: Chance
  readonly #timeline: Timeline
  readonly #targets: Targets
  readonly #kinds: readonly (typeof KINDS)[number][]
  readonly #pauseMs: number
  /** How long a fault lasts, at most. */
  readonly #lengthMs: number
  #isOver = false

  constructor(chance: Chance, timeline: Timeline, targets: Targets) {
    this.#chance = chance
    this.#timeline = timeline
    this.#targets = targets
    this.#kinds = KINDS.filter(
      (kind) => chance.happens(0.6) && (targets.haveClocksThatJump || kind !== 'jump'),
    )
    this.#pauseMs = targets.calmMs ?? chance.of([5, 20, 100, 400])
    this.#lengthMs =
      targets.calmMs === undefined ? chance.of([10, 100, 1_000, 5_000]) : chance.uniform() * targets.calmMs
    if (this.#kinds.length > 0) this.#wait()
  }

  /** Every process runs, every wire is whole; from now on nothing happens any more. */
  heal(): void {
    this.#isOver = true
    const { nodes, stores, connectors } = this.#targets
    for (const store of stores) store.nextCut = undefined
    for (const node of nodes) {
      node.turnMs = 0
      node.resume()
      node.start()
    }
    for (const { clock, transports } of connectors) {
      clock.resume()
      clock.steady()
      for (const wire of transports.flatMap(({ up, down }) => [up, down])) {
        wire.heal()
        wire.steady()
      }
    }
  }

  #wait(): void {
    this.#timeline.after(2 * this.#pauseMs * this.#chance.uniform(), () => {
      if (this.#isOver) return
      this.#strike(this.#chance.of(this.#kinds))
      this.#wait()
    })
  }

  #later(task: () => void): void {
    this.#timeline.after(this.#lengthMs * this.#chance.uniform(), () => {
      if (!this.#isOver) task()
    })
  }

  #strike(kind: (typeof KINDS)[number]): void {
    const { nodes, stores, connectors, replace, tell } = this.#targets
    const chance = this.#chance
    const at = chance.below(nodes.length)
    const node = nodes[at]!
    const which = chance.below(connectors.length)
    const connector = connectors[which]!
    const transport = connector.transports[at]!
    switch (kind) {
      case 'reset':
        tell(`the stream between c${connector.proposerId} and n${at + 1} ends`)
        return transport.reset()
      case 'cut': {
        const [hasUp, hasDown] = chance.of([
          [true, true],
          [true, false],
          [false, true],
        ] as const)
        tell(
          `c${connector.proposerId} and n${at + 1} are cut ${hasUp && hasDown ? 'off' : hasUp ? 'up' : 'down'}`,
        )
        if (hasUp) transport.up.cut()
        if (hasDown) transport.down.cut()
        return this.#later(() => {
          transport.up.heal()
          transport.down.heal()
        })
      }
      case 'crash':
        tell(`n${at + 1} crashes`)
        node.crash()
        return this.#later(() => this.#restart(at))
      case 'crash in a turn':
        stores[at]!.nextCut = chance.of(['before commit', 'after commit'])
        return this.#later(() => this.#restart(at))
      case 'stop':
        tell(`n${at + 1} is stopped`)
        node.stop()
        return this.#later(() => node.resume())
      case 'stop connector':
        tell(`c${connector.proposerId} is stopped`)
        connector.clock.stop()
        return this.#later(() => connector.clock.resume())
      case 'slow':
        node.turnMs = chance.uniform() * 50
        return this.#later(() => {
          node.turnMs = 0
        })
      case 'replace':
        return replace(which)
      case 'jump':
        tell(`the clock of c${connector.proposerId} jumps`)
        return connector.clock.jump(chance.uniform() * 10_000)
      default:
        return kind satisfies never
    }
  }

  #restart(at: number): void {
    if (this.#targets.nodes[at]!.isUp) return
    this.#targets.tell(`n${at + 1} restarts`)
    this.#targets.nodes[at]!.start()
  }
}
