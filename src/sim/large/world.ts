/**
 * A whole system in one process: connectors and nodes as they ship, without HTTP, sockets and SQLite, from
 * the time at which their cluster is formed. Only clock, random numbers, network and disk are simulated. The
 * seed determines the whole run.
 */

import type {
  MemberProtocol,
  MemberProtocolOptions,
} from '../../engines/cohort/group-members/member-protocol.ts'
import type { Request } from '../../register/messages.ts'
import type { LinkOptions } from '../../replication/links/node-link.ts'
import type { Membership } from '../../rpc/messages.ts'
import { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import { formatRequest } from '../small/teller.ts'
import { Clients } from './clients.ts'
import { ConnectorProcess } from './connector-process.ts'
import { Machines } from './machines.ts'
import { MemberClients } from './member-clients.ts'
import { Nemesis } from './nemesis.ts'
import { Network } from './network.ts'
import { addressesOf, formatMembership, Observer } from './observer.ts'
import { Operator } from './operator.ts'
import { Proof } from './proof.ts'
import { drawScenario, LARGE_BOUNDS, type LargeBounds, NODE_COUNTS, type Scenario } from './scenario.ts'
import { Stage } from './stage.ts'
import { type Drift, ProcessClock } from './timeline.ts'
import { Watchers } from './watchers.ts'

export type LargeRun = Readonly<{
  /** Requests and answers about one key each, sent and received. */
  messageCount: number
  operationCount: number
  /** Of them, on members of groups. */
  memberOperationCount: number
  /** The memberships that were chosen, in order. */
  memberships: readonly Membership[]
  /** How many disks were lost, and how many of them came back. */
  lostDiskCount: number
  returnedDiskCount: number
  /** How many records disks have spoiled. */
  spoiledCount: number
  /** What clients that watch have met. `undefined`: none does. */
  watched: Watchers['counts'] | undefined
  /** Simulated milliseconds. */
  simulatedMs: number
  /** A description of the world, for a report. */
  description: string
  failure: Error | undefined
  /** The log of the run, if it was asked for. */
  lines: readonly string[]
}>

export type LargeOptions = Readonly<{
  isTold?: boolean
  nodeCounts?: readonly number[]
  bounds?: LargeBounds
  /** Whether disks spoil records, which nodes then look for and connectors heal. By default it is drawn. */
  disksSpoil?: boolean
  /** Whether clients watch. By default it is drawn. */
  isWatched?: boolean
  /** Properties of the world that are not drawn. */
  scenario?: Partial<Scenario>
  /** Makes the protocol of group members that connectors run. Default: nobody adds members. */
  newMemberProtocol?: ((options: MemberProtocolOptions) => MemberProtocol) | undefined
}>

/**
 * How long the formation of the cluster may take while there are faults; after that it goes on without
 * faults.
 */
const HARD_BIRTH_MS = 20_000
/** The longest time that the formation of the cluster takes without faults. */
const BIRTH_MS = 20_000
/** The end of a run that does not end by itself. */
const RUN_MS_MAX = 600_000
/** The grace time of a cluster in which nothing is removed. */
const LONG_GRACE_MS = 3_600_000

/** All seeds are lower. */
const DAMAGES_APART = 2 ** 51
const WATCHES_APART = 2 ** 50

/** Runs the world of a seed to its end, or to the first violation. */
export async function runLarge(
  seed: number,
  protocol: Protocol,
  options: LargeOptions = {},
): Promise<LargeRun> {
  return new LargeWorld(seed, protocol, options).run()
}

class LargeWorld {
  readonly #stage: Stage
  readonly #scenario: Scenario
  readonly #protocol: Protocol
  readonly #network: Network
  readonly #observer: Observer
  readonly #machines: Machines
  readonly #connectors: ConnectorProcess[] = []
  readonly #clients: Clients
  readonly #operator: Operator
  readonly #memberClients: MemberClients
  readonly #newMemberProtocol: LargeOptions['newMemberProtocol']
  readonly #disksSpoil: boolean
  readonly #watchers: Watchers | undefined
  #proposerCount = 0
  #connectorCount = 0

  constructor(
    seed: number,
    protocol: Protocol,
    { isTold = false, nodeCounts = NODE_COUNTS, bounds = LARGE_BOUNDS, ...options }: LargeOptions,
  ) {
    // A generator of its own, so that the same seed gives the same run for disks that damage nothing.
    this.#disksSpoil = options.disksSpoil ?? new Chance(seed + DAMAGES_APART).happens(0.5)
    this.#newMemberProtocol = options.newMemberProtocol
    const stage = new Stage(seed, isTold)
    const scenario = { ...drawScenario(stage.chance, nodeCounts, bounds), ...options.scenario }
    const { nodeCount, connectorCount, groupIds, weather, hasDrift } = scenario
    const observer = new Observer(nodeCount, groupIds, (membership) =>
      stage.tell(`epoch ${membership.epoch} is chosen: ${formatMembership(membership)}`),
    )
    const machines = new Machines({
      stage,
      protocol,
      observer,
      isScrubbing: this.#disksSpoil,
      drawDrift: () => this.#drawDrift(),
      onCrash: ({ address }) => {
        for (const connector of this.#connectors) connector.transportTo(address).reset()
      },
    })
    const connectors = () => this.#connectors
    this.#stage = stage
    this.#scenario = scenario
    this.#protocol = protocol
    this.#network = new Network(stage.timeline, stage.chance, weather, !hasDrift)
    this.#observer = observer
    this.#machines = machines
    this.#clients = new Clients({ stage, scenario, observer, connectors })
    this.#memberClients = new MemberClients({ stage, scenario, observer, connectors })
    this.#operator = new Operator({ stage, scenario, observer, machines, connectors })
    for (let index = 0; index < nodeCount; index += 1) machines.add()
    for (let index = 0; index < connectorCount; index += 1) this.#connectors.push(this.#newConnector())
    const chance = new Chance(seed + WATCHES_APART)
    const isWatched = options.isWatched ?? chance.happens(0.5)
    // What a node knows of open votes when it has started depends on a clock (protocol.md §10).
    if (isWatched && !hasDrift)
      this.#watchers = new Watchers({ stage, chance, observer, groupIds, connectors })
  }

  async run(): Promise<LargeRun> {
    const stage = this.#stage
    try {
      await this.#beBorn()
      await this.#work()
      await new Proof({
        stage,
        scenario: this.#scenario,
        observer: this.#observer,
        machines: this.#machines,
        operator: this.#operator,
        clients: this.#clients,
        memberClients: this.#memberClients,
        hasMembers: this.#newMemberProtocol !== undefined,
        connectors: () => this.#connectors,
        watchers: this.#watchers,
      }).run()
    } catch (error) {
      stage.fail(error)
    }
    const { nodeCount, clientCount, groupIds } = this.#scenario
    const { memberships } = this.#observer
    const { lostDiskCount, returnedDiskCount } = this.#operator
    return {
      messageCount: stage.messageCount,
      operationCount: this.#clients.operationCount + this.#memberClients.operationCount,
      memberOperationCount: this.#memberClients.operationCount,
      memberships,
      lostDiskCount,
      returnedDiskCount,
      spoiledCount: this.#machines.all.reduce((sum, { store }) => sum + store.spoiledCount, 0),
      watched: this.#watchers?.counts,
      simulatedMs: stage.timeline.nowMs,
      description: `born on ${nodeCount} nodes, ${memberships.length} epochs, ${this.#connectors.length} connectors, ${clientCount} clients, ${groupIds.length} keys`,
      failure: stage.failure,
      lines: stage.lines ?? [],
    }
  }

  /** The connectors find empty nodes and form a cluster of them. */
  async #beBorn(): Promise<void> {
    const stage = this.#stage
    const isFound = () => this.#connectors.some(({ isReady }) => isReady)
    if (this.#scenario.isBirthHard) {
      const nemesis = this.#newNemesis()
      await stage.runUntil(HARD_BIRTH_MS, isFound)
      nemesis.heal()
    }
    await stage.runUntil(stage.timeline.nowMs + BIRTH_MS, isFound)
    if (stage.failure === undefined && !isFound())
      throw new Violation('a cluster is born', 'no connector has found it')
  }

  /** Clients work, members change, and faults happen; then all faults are healed. */
  async #work(): Promise<void> {
    const stage = this.#stage
    const nemesis = this.#newNemesis()
    this.#clients.start()
    if (this.#newMemberProtocol !== undefined) this.#memberClients.start()
    this.#operator.start()
    this.#watchers?.start()
    await stage.runUntil(RUN_MS_MAX, () => this.#clients.isDone)
    this.#clients.stop()
    this.#memberClients.stop()
    this.#operator.stop()
    stage.tell('everything heals')
    this.#network.isSteady = true
    for (const connector of this.#connectors) {
      connector.clock.steady()
      connector.startRepair()
    }
    nemesis.heal()
  }

  #newNemesis(): Nemesis {
    const { chance, timeline } = this.#stage
    const { isWandering, graceMs } = this.#scenario
    return new Nemesis(chance, timeline, {
      machines: () => this.#machines.all,
      connectors: () => this.#connectors,
      replace: (which) => this.#replace(which),
      maySpoil: this.#disksSpoil ? ({ nodeId }) => this.#operator.maySpoil(nodeId) : undefined,
      haveClocksThatJump: graceMs === undefined,
      calmMs: isWandering ? graceMs : undefined,
      tell: (line) => this.#stage.tell(line),
    })
  }

  #newConnector(): ConnectorProcess {
    const stage = this.#stage
    const { newest } = this.#observer
    this.#connectorCount += 1
    return new ConnectorProcess({
      ...this.#scenario,
      name: `c${this.#connectorCount}`,
      stage,
      protocol: this.#protocol,
      clock: new ProcessClock(stage.timeline, stage.chance, this.#drawDrift()),
      hosts: newest === undefined ? this.#machines.all.map(({ address }) => address) : addressesOf(newest),
      connect: (address, owner) => this.#network.connect(owner, this.#machines.at(address)),
      drawProposerId: () => {
        this.#proposerCount += 1
        return this.#proposerCount
      },
      tombstoneGraceMs: this.#scenario.graceMs ?? LONG_GRACE_MS,
      // So that some lost disks are back before an empty node takes their place.
      replaceAfterMs: this.#scenario.changePauseMs ?? 0,
      isRemoving: this.#scenario.graceMs !== undefined,
      isRepairing: !this.#scenario.isRepairLate,
      onPlan: (membership) => this.#observer.planned(membership),
      isHealing: this.#disksSpoil,
      newMemberProtocol: this.#newMemberProtocol,
      onSend: (connector, to, key, request) => this.#onSend(connector, to, key, request),
    })
  }

  #onSend({ name }: ConnectorProcess, to: LinkOptions, key: string, request: Request): void {
    const stage = this.#stage
    stage.messageCount += 1
    if (stage.lines !== undefined) stage.tell(`${name} → ${to.nodeId}  ${key} ${formatRequest(request)}`)
    try {
      this.#observer.sent(to.membership?.epoch ?? 0, key, request, stage.turn)
    } catch (error) {
      // Nothing awaits the background work, so its error must be reported here.
      stage.fail(error)
    }
  }

  #replace(which: number): void {
    const dead = this.#connectors[which]!
    dead.kill()
    const next = this.#newConnector()
    this.#stage.tell(`${dead.name} dies; ${next.name} takes its place`)
    this.#connectors[which] = next
    this.#clients.lose(dead)
    this.#memberClients.lose(dead)
  }

  #drawDrift(): Drift {
    const { chance } = this.#stage
    if (!this.#scenario.hasDrift) return { rate: 1, timerFactors: [1, 1] }
    return { rate: chance.of([0.5, 1, 1.5]), timerFactors: [0.5, chance.of([1, 3])] }
  }
}
