/**
 * A whole system in one process: the connectors' real drivers and registries, the nodes' real handlers, the
 * real group commands. Only clock, chance, network and disk are simulated. All of a run follows from its
 * seed.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { GROUP_NAMESPACE } from '../../engines/cohort/group-registry.ts'
import type { Group } from '../../group/group.ts'
import { formatBallot } from '../../register/ballot.ts'
import { TIMEOUTS_PER_GRACE } from '../../register/grace-time.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { formatState } from '../../register/state.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import type { RepairLimits } from '../../upkeep/repair/repair.ts'
import type { RepairTarget } from '../../upkeep/repair/repair-target.ts'
import { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import { formatAnswer, formatRecord, formatRequest } from '../small/teller.ts'
import { commandOf, drawCommand, endingOfChange, endingOfRead } from './client.ts'
import { ConnectorProcess } from './connector-process.ts'
import type { GroupCommand } from './group-model.ts'
import { MemoryStore, type StoreObserver } from './memory-store.ts'
import { Nemesis } from './nemesis.ts'
import { SimulatedTransport, type Weather } from './network.ts'
import { NodeProcess } from './node-process.ts'
import { type Drift, ProcessClock, Timeline } from './timeline.ts'
import { type Ending, Witness } from './witness.ts'

export type LargeRun = Readonly<{
  /** Requests and answers about one key each, sent and received. */
  messageCount: number
  operationCount: number
  /** Simulated milliseconds. */
  simulatedMs: number
  /** What the world was like, for a report. */
  description: string
  failure: Error | undefined
  /** The conversation, where it was asked for. */
  lines: readonly string[]
}>

/**
 * From the healing of everything on, how long until every operation succeeds. Timers that were set before run
 * out first, and the slowest clock takes three times the timeout of a batch, twice as long.
 */
const RECOVERY_MS = 25_000
/**
 * From then on, how long until all nodes hold the same: a few comparisons of the connector with the slowest
 * clock, and as many repairs as there are keys.
 */
const REPAIR_MS = 10_000
/**
 * From then on, how many grace times until nothing is left of deleted groups: two for the steps and a quarter
 * for each walk between them; and the same again, for what repair had to settle first, or what was only
 * promised.
 */
const REMOVAL_GRACES = 6
/** The end of a run that does not end by itself. */
const RUN_MS_MAX = 600_000

/** How many nodes a world has: one of these. */
const NODE_COUNTS: readonly number[] = [3, 3, 4, 5, 7]

/** How much of a world there is, at most: for shorter runs of the same seed. */
export type LargeBounds = Readonly<{ keysMax: number; clientsMax: number; operationsMax: number }>

/** What any seed keeps within. */
export const LARGE_BOUNDS: LargeBounds = { keysMax: 6, clientsMax: 16, operationsMax: 400 }

export type LargeOptions = Readonly<{
  isTold?: boolean
  nodeCounts?: readonly number[]
  bounds?: LargeBounds
}>

/** Runs the world of a seed to its end, or to the first violation. */
export async function runLarge(
  seed: number,
  protocol: Protocol,
  options: LargeOptions = {},
): Promise<LargeRun> {
  return new LargeWorld(seed, protocol, options).run()
}

type PendingCall = { readonly connector: ConnectorProcess; readonly end: (ending: Ending) => void }

class LargeWorld {
  readonly #chance: Chance
  readonly #protocol: Protocol
  readonly #timeline = new Timeline()
  readonly #weather: Weather
  readonly #nodes: NodeProcess[] = []
  readonly #stores: MemoryStore[] = []
  readonly #connectors: ConnectorProcess[] = []
  readonly #witnesses = new Map<string, Witness>()
  readonly #pending = new Set<PendingCall>()
  readonly #lines: string[] | undefined
  readonly #keys: readonly string[]
  readonly #clientCount: number
  readonly #operationsMax: number
  readonly #thinkMs: number
  readonly #memory: { viewCacheBytesMax: number; viewAgeMsMax: number }
  readonly #hasDrift: boolean
  readonly #operationTimeoutMs: number
  /**
   * `undefined`: tombstones stay. They do where clocks run apart without bound: a grace time is by a clock.
   */
  readonly #graceMs: number | undefined
  /** Whether the run goes on until all is removed: that is long, and little happens. */
  readonly #isRemovalAwaited: boolean
  readonly #isWandering: boolean
  readonly #repairLimits: RepairLimits
  #nemesis: Nemesis | undefined
  #isHealed = false
  #operationCount = 0
  #proposerCount = 0
  #messageCount = 0
  /** Counts the turns of the processes: what a proposer decides and sends in one belongs together. */
  #event = 0
  #failure: Error | undefined

  constructor(
    seed: number,
    protocol: Protocol,
    { isTold = false, nodeCounts = NODE_COUNTS, bounds = LARGE_BOUNDS }: LargeOptions,
  ) {
    const chance = new Chance(seed)
    this.#chance = chance
    this.#protocol = protocol
    this.#lines = isTold ? [] : undefined
    const nodeCount = chance.of(nodeCounts)
    // Drawn first and bounded then, so that what follows is drawn as in the whole run.
    this.#keys = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, chance.between(1, 6)).slice(0, bounds.keysMax)
    this.#clientCount = Math.min(chance.between(3, 16), bounds.clientsMax)
    this.#operationsMax = Math.min(chance.between(100, 400), bounds.operationsMax)
    const thinkMs = chance.of([0, 1, 10, 100])
    this.#memory = {
      // Room for about one key, for three, and for all.
      viewCacheBytesMax: chance.of([2_500, 7_500, 250_000]),
      viewAgeMsMax: chance.of([20, 500, 60_000]),
    }
    this.#hasDrift = chance.happens(0.5)
    this.#repairLimits = {
      intervalMs: chance.of([100, 1_000]),
      secondLookMs: chance.of([20, 300]),
      keysPerSecondMax: chance.of([50, 6_000]),
      keysInFlightMax: chance.of([1, 256]),
    }
    const latency = chance.of([0.2, 1, 5])
    this.#weather = {
      latencyMs: [latency / 2, latency * chance.of([1, 2, 10])],
      stallRate: chance.of([0, 0.001, 0.02]),
      stallMsMax: chance.of([20, 500, 5_000]),
    }
    // Short, so that much is removed while everything fails; but no shorter than a few round trips.
    const leastTimeoutMs = Math.max(100, 20 * this.#weather.latencyMs[1])
    this.#operationTimeoutMs = this.#hasDrift ? 3_000 : leastTimeoutMs * chance.of([1, 2])
    this.#isRemovalAwaited = chance.happens(0.2)
    this.#isWandering = chance.happens(0.1)
    this.#graceMs = this.#hasDrift ? undefined : TIMEOUTS_PER_GRACE * this.#operationTimeoutMs
    this.#thinkMs =
      this.#isWandering && this.#graceMs !== undefined ? chance.uniform() * this.#graceMs : thinkMs
    this.#build(nodeCount, chance.between(2, 4))
  }

  async run(): Promise<LargeRun> {
    try {
      for (let client = 0; client < this.#clientCount; client += 1)
        this.#think(() => this.#work(client, undefined))
      await this.#runUntil(RUN_MS_MAX, () => this.#operationCount >= this.#operationsMax)
      this.#heal()
      await this.#runUntil(this.#timeline.nowMs + RECOVERY_MS, () => false)
      if (this.#pending.size > 0)
        throw new Violation('operations end', `${this.#pending.size} are still pending`)
      await this.#proveEqual()
      for (const key of this.#keys) await this.#proveProgress(key)
      await this.#proveEqual()
      await this.#proveRemoved()
      for (const witness of this.#witnesses.values()) witness.finish()
    } catch (error) {
      this.#failure ??= error as Error
    }
    return {
      messageCount: this.#messageCount,
      operationCount: this.#operationCount,
      simulatedMs: this.#timeline.nowMs,
      description: `${this.#nodes.length} nodes, ${this.#connectors.length} connectors, ${this.#clientCount} clients, ${this.#keys.length} keys`,
      failure: this.#failure,
      lines: this.#lines ?? [],
    }
  }

  async #runUntil(untilMs: number, isDone: () => boolean): Promise<void> {
    while (this.#failure === undefined && !isDone()) {
      this.#event += 1
      if (!this.#timeline.step(untilMs)) return
      if (!this.#timeline.isSettling) continue
      this.#timeline.isSettling = false
      // Whoever awaits a promise that this event has settled goes on before time does.
      this.#event += 1
      await nextTurn()
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error as Error
  }

  #tell(line: string): void {
    this.#lines?.push(`${this.#timeline.nowMs.toFixed(3).padStart(10)}  ${line}`)
  }

  // Second phase --------------------------------------------------------------------------------------------

  #heal(): void {
    this.#isHealed = true
    this.#tell('everything heals')
    this.#nemesis?.heal()
  }

  /**
   * When all is well, every connector changes and reads every key, at once and in agreement with the others.
   */
  async #proveProgress(key: string): Promise<void> {
    const commands: GroupCommand[] = [
      { kind: 'create', incarnation: `last-${key}`, text: 'last' },
      { kind: 'read' },
      { kind: 'delete', etag: undefined },
    ]
    for (const command of commands) {
      for (const connector of this.#connectors) {
        let ending: Ending | undefined
        this.#call(connector, key, command, (ended) => {
          ending = ended
        })
        await this.#runUntil(this.#timeline.nowMs + 2 * this.#operationTimeoutMs, () => ending !== undefined)
        if (this.#failure === undefined && ending?.kind !== 'done') {
          const text = `${command.kind} on ${key} by c${connector.proposerId} ended ${ending?.kind} in a healthy cluster`
          throw new Violation('operations succeed', text)
        }
      }
    }
  }

  /** Background repair makes all nodes equal, without any client. */
  async #proveEqual(): Promise<void> {
    await this.#runUntil(this.#timeline.nowMs + REPAIR_MS, () => this.#differingKey() === undefined)
    const key = this.#differingKey()
    if (this.#failure !== undefined || key === undefined) return
    const held = this.#stores.map((store) => formatHeld(store.load(GROUP_NAMESPACE + key)))
    throw new Violation('nodes become identical', `${key} is ${held.join(', ')}`)
  }

  /** All groups are deleted by now: removal leaves nothing of them on any node. */
  async #proveRemoved(): Promise<void> {
    if (this.#graceMs === undefined || !this.#isRemovalAwaited) return
    const keysLeft = () => this.#stores.reduce((sum, { inventory }) => sum + inventory.counts.recordCount, 0)
    await this.#runUntil(this.#timeline.nowMs + REMOVAL_GRACES * this.#graceMs, () => keysLeft() === 0)
    if (this.#failure !== undefined || keysLeft() === 0) return
    const held = this.#keys.map((key) => {
      const records = this.#stores.map((store) => formatRecord(store.load(GROUP_NAMESPACE + key)))
      return `${key}: ${records.join('; ')}`
    })
    throw new Violation('nothing is left of deleted groups', held.join(' | '))
  }

  #differingKey(): string | undefined {
    return this.#keys.find((key) => {
      const held = this.#stores.map((store) => formatHeld(store.load(GROUP_NAMESPACE + key)))
      return held.some((one) => one !== held[0])
    })
  }

  // Clients -------------------------------------------------------------------------------------------------

  #think(task: () => void): void {
    this.#timeline.after(2 * this.#thinkMs * this.#chance.uniform() + 0.01, task)
  }

  #work(client: number, lastSeen: Group | undefined): void {
    if (this.#isHealed || this.#operationCount >= this.#operationsMax) return
    const key = this.#drawKey()
    const command = drawCommand(this.#chance, `${client}.${this.#operationCount}`, lastSeen)
    const connector = this.#chance.of(this.#connectors)
    this.#call(connector, key, command, (_ending, seen) => this.#think(() => this.#work(client, seen)))
  }

  /**
   * Any key; or one of two that wander over all of them twice, so that the others are left alone for a while.
   */
  #drawKey(): string {
    if (!this.#isWandering) return this.#chance.of(this.#keys)
    const { length } = this.#keys
    const passed = Math.floor((2 * length * this.#operationCount) / this.#operationsMax)
    return this.#keys[(passed + this.#chance.below(2)) % length]!
  }

  #call(
    connector: ConnectorProcess,
    key: string,
    command: GroupCommand,
    onEnd: (ending: Ending, seen: Group | undefined) => void,
  ): void {
    const witness = this.#witnesses.get(key)!
    const operation = witness.called(command)
    this.#operationCount += 1
    this.#tell(`c${connector.proposerId}  ${key} operation ${operation}: ${JSON.stringify(command)}`)
    const end = (ending: Ending, seen?: Group): void => {
      if (!this.#pending.delete(call)) return
      const text = ending.kind === 'done' ? ending.seen : ending.kind
      this.#tell(`c${connector.proposerId}  ${key} operation ${operation} is answered: ${text}`)
      witness.ended(operation, ending)
      onEnd(ending, seen)
    }
    const call = { connector, end }
    this.#pending.add(call)
    connector.clock.run(() => {
      this.#submit(connector, key, command, operation, end).catch((error: unknown) => this.#fail(error))
    })
  }

  async #submit(
    { registry, clock }: ConnectorProcess,
    key: string,
    command: GroupCommand,
    operation: number,
    end: (ending: Ending, seen?: Group) => void,
  ): Promise<void> {
    if (command.kind === 'read') {
      const outcome = await registry.read(key)
      return end(endingOfRead(outcome), outcome.kind === 'done' ? outcome.value : undefined)
    }
    const change = commandOf(command, key, clock.nowMs())
    const outcome = await registry.change(key, (group) => {
      const decision = change(group)
      if (decision.kind === 'changed') this.#witnesses.get(key)!.decided(operation, this.#event)
      return decision
    })
    const isShown = outcome.kind === 'done' && outcome.value.kind !== 'refused'
    end(endingOfChange(command, outcome), isShown ? outcome.value.answer : undefined)
  }

  // Processes -----------------------------------------------------------------------------------------------

  #build(nodeCount: number, connectorCount: number): void {
    const members = Array.from({ length: nodeCount }, (_, index) => ({
      nodeId: `n${index + 1}`,
      address: `n${index + 1}:1`,
    }))
    const membership = { clusterId: 'simulated', epoch: 1, members, tombstoneGraceMs: 3_600_000 }
    for (const key of this.#keys) this.#witnesses.set(key, new Witness(key, nodeCount))
    members.forEach(({ nodeId }, index) => {
      const witnessOf = (key: string): Witness => this.#witnesses.get(groupIdOf(key))!
      const observer: StoreObserver = {
        onVote: (key, { accepted, state }) => witnessOf(key).voted(index, accepted!, state),
        onStub: (key, before) => witnessOf(key).stubbed(before),
        onDrop: (key) => witnessOf(key).dropped(index),
      }
      const store = new MemoryStore(nodeId, membership, observer, this.#protocol.digestOf)
      this.#stores.push(store)
      this.#nodes.push(this.#newNode(index, store))
    })
    for (let index = 0; index < connectorCount; index += 1) this.#connectors.push(this.#newConnector())
    this.#nemesis = new Nemesis(this.#chance, this.#timeline, {
      nodes: this.#nodes,
      stores: this.#stores,
      connectors: this.#connectors,
      replace: (which) => this.#replace(which),
      haveClocksThatJump: this.#graceMs === undefined,
      calmMs: this.#isWandering ? this.#graceMs : undefined,
      tell: (line) => this.#tell(line),
    })
  }

  #newNode(index: number, store: MemoryStore): NodeProcess {
    return new NodeProcess({
      store,
      timeline: this.#timeline,
      chance: this.#chance,
      drift: this.#drawDrift(),
      onCrash: () => {
        for (const { transports } of this.#connectors) transports[index]!.reset()
      },
      onAnswer: ({ key, request }, answer) => {
        this.#messageCount += 1
        if (this.#lines !== undefined) this.#tell(`n${index + 1}  ${key} ${formatAnswer(request, answer)}`)
        this.#witnesses.get(groupIdOf(key))!.answered(index, answer)
      },
      onFailure: (error) => this.#fail(error),
    })
  }

  #newConnector(): ConnectorProcess {
    this.#proposerCount += 1
    const proposerId = this.#proposerCount
    const clock = new ProcessClock(this.#timeline, this.#chance, this.#drawDrift())
    const transports = this.#nodes.map(
      (listener) =>
        new SimulatedTransport(this.#timeline, this.#chance, this.#weather, {
          owner: clock,
          listener,
          areMessagesJudged: !this.#hasDrift,
        }),
    )
    return new ConnectorProcess({
      proposerId,
      quorums: this.#protocol.quorumsOf(this.#nodes.length),
      rules: this.#protocol.rules,
      membership: this.#stores[0]!.membership!,
      clock,
      chance: this.#chance,
      transports,
      operationTimeoutMs: this.#operationTimeoutMs,
      ...this.#memory,
      removal:
        this.#graceMs === undefined
          ? undefined
          : { graceMs: this.#graceMs, drawProposerId: () => this.#drawProposerId() },
      repair: { limits: this.#repairLimits, client: (client) => this.#watchRepair(client) },
      onFailure: (error) => this.#fail(error),
      onSend: (node, key, request) => {
        this.#messageCount += 1
        if (this.#lines !== undefined)
          this.#tell(`c${proposerId} → n${node + 1}  ${key} ${formatRequest(request)}`)
        try {
          this.#witnesses.get(groupIdOf(key))!.sent(request, this.#event)
        } catch (error) {
          // Background repair would have nobody to tell.
          this.#fail(error)
        }
      },
    })
  }

  /** What background repair works with, and what it may get wrong only on purpose. */
  #watchRepair(client: RegisterClient): RepairTarget['client'] {
    const { knownToRepair, doesRepairSettle, quorumsOf } = this.#protocol
    return {
      judge: (records) =>
        client.judge(records) && { chosen: knownToRepair(records, quorumsOf(this.#nodes.length)) },
      settle: (key) => (doesRepairSettle ? client.settle(key) : Promise.resolve({ kind: 'not_applied' })),
    }
  }

  #replace(which: number): void {
    const dead = this.#connectors[which]!
    this.#tell(`c${dead.proposerId} dies; c${this.#proposerCount + 1} takes its place`)
    dead.kill()
    this.#connectors[which] = this.#newConnector()
    for (const { connector, end } of [...this.#pending]) if (connector === dead) end({ kind: 'gone' })
  }

  #drawProposerId(): number {
    this.#proposerCount += 1
    return this.#proposerCount
  }

  #drawDrift(): Drift {
    if (!this.#hasDrift) return { rate: 1, timerFactors: [1, 1] }
    return { rate: this.#chance.of([0.5, 1, 1.5]), timerFactors: [0.5, this.#chance.of([1, 3])] }
  }
}

/** What must be the same on every node: what it has accepted, and at which ballot. */
function formatHeld({ accepted, state }: KeyRecord): string {
  return accepted === undefined ? 'nothing' : `${formatState(state)} at ${formatBallot(accepted)}`
}

/** Keys are `group/…`. */
function groupIdOf(key: string): string {
  return key.slice('group/'.length)
}
