import type { Group } from '../../group/group.ts'
import { commandOf, drawCommand, endingOfChange, endingOfRead } from './client.ts'
import type { ConnectorProcess } from './connector-process.ts'
import type { GroupCommand } from './group-model.ts'
import type { Observer } from './observer.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'
import type { Ending } from './witness.ts'

export type ClientsOptions = Readonly<{
  stage: Stage
  scenario: Scenario
  observer: Observer
  /** The connectors that run now. */
  connectors: () => readonly ConnectorProcess[]
}>

type PendingCall = { readonly connector: ConnectorProcess; readonly end: (ending: Ending) => void }

/** The clients of a run: each does one operation after the other. */
export class Clients {
  readonly #options: ClientsOptions
  readonly #pending = new Set<PendingCall>()
  #operationCount = 0
  #isOver = false

  constructor(options: ClientsOptions) {
    this.#options = options
  }

  get operationCount(): number {
    return this.#operationCount
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  /** Whether all operations of the run have begun. */
  get isDone(): boolean {
    return this.#operationCount >= this.#options.scenario.operationsMax
  }

  start(): void {
    for (let client = 0; client < this.#options.scenario.clientCount; client += 1)
      this.#think(() => this.#work(client, undefined))
  }

  /** From now on clients begin no operation. */
  stop(): void {
    this.#isOver = true
  }

  /** A connector has died: its clients never learn how their operations ended. */
  lose(dead: ConnectorProcess): void {
    for (const { connector, end } of [...this.#pending]) if (connector === dead) end({ kind: 'gone' })
  }

  /** Does one operation. */
  call(
    connector: ConnectorProcess,
    groupId: string,
    command: GroupCommand,
    onEnd: (ending: Ending, seen: Group | undefined) => void,
  ): void {
    const { stage, observer } = this.#options
    const witness = observer.group(groupId)
    const operation = witness.called(command)
    this.#operationCount += 1
    stage.tell(`${connector.name}  ${groupId} operation ${operation}: ${JSON.stringify(command)}`)
    const end = (ending: Ending, seen?: Group): void => {
      if (!this.#pending.delete(call)) return
      const text = ending.kind === 'done' ? ending.seen : ending.kind
      stage.tell(`${connector.name}  ${groupId} operation ${operation} is answered: ${text}`)
      witness.ended(operation, ending)
      onEnd(ending, seen)
    }
    const call = { connector, end }
    this.#pending.add(call)
    connector.clock.run(() => {
      this.#submit(connector, groupId, command, operation, end).catch((error: unknown) => stage.fail(error))
    })
  }

  async #submit(
    { registry, clock }: ConnectorProcess,
    groupId: string,
    command: GroupCommand,
    operation: number,
    end: (ending: Ending, seen?: Group) => void,
  ): Promise<void> {
    const { stage, observer } = this.#options
    if (command.kind === 'read') {
      const outcome = await registry.read(groupId)
      return end(endingOfRead(outcome), outcome.kind === 'done' ? outcome.value : undefined)
    }
    const change = commandOf(command, groupId, clock.nowMs())
    const outcome = await registry.change(groupId, (group) => {
      const decision = change(group)
      if (decision.kind === 'changed') observer.group(groupId).decided(operation, stage.turn)
      return decision
    })
    const isShown = outcome.kind === 'done' && outcome.value.kind !== 'refused'
    end(endingOfChange(command, outcome), isShown ? outcome.value.answer : undefined)
  }

  #think(task: () => void): void {
    const { stage, scenario } = this.#options
    stage.timeline.after(2 * scenario.thinkMs * stage.chance.uniform() + 0.01, task)
  }

  #work(client: number, lastSeen: Group | undefined): void {
    if (this.#isOver || this.isDone) return
    const { stage, connectors } = this.#options
    const ready = connectors().filter(({ isReady }) => isReady)
    if (ready.length === 0) {
      stage.timeline.after(1, () => this.#work(client, lastSeen))
      return
    }
    const command = drawCommand(stage.chance, `${client}.${this.#operationCount}`, lastSeen)
    const onEnd = (_ending: Ending, seen: Group | undefined) => this.#think(() => this.#work(client, seen))
    this.call(stage.chance.of(ready), this.#drawGroup(), command, onEnd)
  }

  /**
   * Any group; or, in some runs, one of two neighbouring groups. This pair moves over all groups twice in a
   * run, so that the other groups rest for a while.
   */
  #drawGroup(): string {
    const { stage, scenario } = this.#options
    const { groupIds, operationsMax, isWandering } = scenario
    if (!isWandering) return stage.chance.of(groupIds)
    const { length } = groupIds
    const passed = Math.floor((2 * length * this.#operationCount) / operationsMax)
    return groupIds[(passed + stage.chance.below(2)) % length]!
  }
}
