import type { Chance } from '../chance.ts'
import type { ConnectorProcess } from './connector-process.ts'
import type { Machine } from './machine.ts'
import type { Timeline } from './timeline.ts'

/**
 * What faults can hit. These are functions that are called for each fault, because connectors are replaced
 * and machines are added.
 */
export type Targets = Readonly<{
  machines: () => readonly Machine[]
  connectors: () => readonly ConnectorProcess[]
  replace: (connector: number) => void
  haveClocksThatJump: boolean
  /** The average time between two faults; `undefined`: drawn, and in some runs much shorter. */
  calmMs: number | undefined
  /**
   * Whether the disk of a machine may spoil records: enough other members have whole ones. `undefined`: disks
   * spoil nothing.
   */
  maySpoil: ((machine: Machine) => boolean) | undefined
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

/** A disk spoils records only where it may. */
type Kind = (typeof KINDS)[number] | 'spoil'

/**
 * Draws faults, one after the other, until it is told to heal everything. The kinds of faults and their
 * frequency are drawn once for each run.
 */
export class Nemesis {
  readonly #chance: Chance
  readonly #timeline: Timeline
  readonly #targets: Targets
  readonly #kinds: readonly Kind[]
  readonly #pauseMs: number
  /** The longest duration of a fault. */
  readonly #lengthMs: number
  #isOver = false

  constructor(chance: Chance, timeline: Timeline, targets: Targets) {
    this.#chance = chance
    this.#timeline = timeline
    this.#targets = targets
    const kinds = KINDS.filter(
      (kind) => chance.happens(0.6) && (targets.haveClocksThatJump || kind !== 'jump'),
    )
    this.#kinds = targets.maySpoil === undefined ? kinds : [...kinds, 'spoil']
    this.#pauseMs = targets.calmMs ?? chance.of([5, 20, 100, 400])
    this.#lengthMs =
      targets.calmMs === undefined ? chance.of([10, 100, 1_000, 5_000]) : chance.uniform() * targets.calmMs
    if (this.#kinds.length > 0) this.#wait()
  }

  /** Lets every process run and every wire deliver. From now on there are no faults. */
  heal(): void {
    this.#isOver = true
    for (const machine of this.#targets.machines()) {
      machine.store.nextCut = undefined
      machine.turnMs = 0
      machine.resume()
      machine.start()
    }
    for (const { clock, transports } of this.#targets.connectors()) {
      clock.resume()
      for (const wire of transports.flatMap(({ up, down }) => [up, down])) wire.heal()
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

  #strike(kind: Kind): void {
    const { machines, connectors, replace, tell } = this.#targets
    const chance = this.#chance
    const machine = chance.of(machines())
    const { nodeId } = machine
    const which = chance.below(connectors().length)
    const connector = connectors()[which]!
    const transport = connector.transportTo(machine.address)
    switch (kind) {
      case 'reset':
        tell(`the streams between ${connector.name} and ${nodeId} end`)
        return transport.reset()
      case 'cut': {
        const [hasUp, hasDown] = chance.of([
          [true, true],
          [true, false],
          [false, true],
        ] as const)
        tell(`${connector.name} and ${nodeId} are cut ${hasUp && hasDown ? 'off' : hasUp ? 'up' : 'down'}`)
        if (hasUp) transport.up.cut()
        if (hasDown) transport.down.cut()
        return this.#later(() => {
          transport.up.heal()
          transport.down.heal()
        })
      }
      case 'crash':
        tell(`${nodeId} crashes`)
        machine.crash()
        return this.#later(() => this.#restart(machine))
      case 'crash in a turn':
        machine.store.nextCut = chance.of(['before commit', 'after commit'])
        return this.#later(() => this.#restart(machine))
      case 'stop':
        tell(`${nodeId} is stopped`)
        machine.stop()
        return this.#later(() => machine.resume())
      case 'stop connector':
        tell(`${connector.name} is stopped`)
        connector.clock.stop()
        return this.#later(() => connector.clock.resume())
      case 'slow':
        machine.turnMs = chance.uniform() * 50
        return this.#later(() => {
          machine.turnMs = 0
        })
      case 'replace':
        return replace(which)
      case 'jump':
        tell(`the clock of ${connector.name} jumps`)
        return connector.clock.jump(chance.uniform() * 10_000)
      case 'spoil':
        return this.#spoil(machine)
      default:
        return kind satisfies never
    }
  }

  /** The disk of a machine spoils one of its records, or all of them. */
  #spoil(machine: Machine): void {
    const { maySpoil, tell } = this.#targets
    const { keys } = machine.store
    if (keys.length === 0 || !maySpoil?.(machine)) return
    for (const key of this.#chance.happens(0.2) ? keys : [this.#chance.of(keys)])
      if (machine.store.spoil(key)) tell(`the disk of ${machine.nodeId} spoils its record of ${key}`)
  }

  #restart(machine: Machine): void {
    if (machine.isUp || machine.isRetired) return
    this.#targets.tell(`${machine.nodeId} restarts`)
    machine.start()
  }
}
