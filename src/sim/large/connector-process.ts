import { GROUP_NAMESPACE, GROUP_NAMESPACE_END, GroupRegistry } from '../../engines/cohort/group-registry.ts'
import type { Request } from '../../register/messages.ts'
import type { Quorums } from '../../register/quorum.ts'
import type { Rules } from '../../register/rules.ts'
import { findDivergences } from '../../replication/divergence.ts'
import { LINK_LIMITS } from '../../replication/links/link-limits.ts'
import { NodeLink } from '../../replication/links/node-link.ts'
import type { PendingRequest } from '../../replication/links/pending-request.ts'
import { livesWithin } from '../../replication/lives.ts'
import { RegisterClient } from '../../replication/register-client.ts'
import type { Membership } from '../../rpc/messages.ts'
import { REMOVAL_LIMITS, Removal } from '../../upkeep/removal/removal.ts'
import { Repair, type RepairLimits } from '../../upkeep/repair/repair.ts'
import type { RepairTarget } from '../../upkeep/repair/repair-target.ts'
import type { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { SimulatedTransport } from './network.ts'
import type { ProcessClock } from './timeline.ts'

export type ConnectorProcessOptions = Readonly<{
  proposerId: number
  quorums: Quorums
  rules: Rules
  membership: Membership
  clock: ProcessClock
  chance: Chance
  /** The ways to the nodes, in the order of the membership. */
  transports: readonly SimulatedTransport[]
  operationTimeoutMs: number
  viewCacheBytesMax: number
  viewAgeMsMax: number
  /** A proposer sends a request, in the same turn in which it decided to. */
  onSend: (node: number, key: string, request: Request) => void
  repair: Readonly<{
    limits: RepairLimits
    /** What background repair sees of the client: all of it, unless a rule is broken on purpose. */
    client: (client: RegisterClient) => RepairTarget['client']
  }>
  /** `undefined`: nothing is removed. */
  removal: Readonly<{ graceMs: number; drawProposerId: () => number }> | undefined
  /** A bug was found. */
  onFailure: (error: unknown) => void
}>

/** The link that ships, watched. */
class WatchedLink extends NodeLink {
  readonly #onSend: (pending: PendingRequest) => void
  readonly #onSettle: () => void

  constructor(
    options: ConstructorParameters<typeof NodeLink>[0],
    onSend: (pending: PendingRequest) => void,
    onSettle: () => void,
  ) {
    super(options)
    this.#onSend = onSend
    this.#onSettle = onSettle
  }

  override send(pending: PendingRequest): boolean {
    this.#onSend(pending)
    return super.send(pending.isBackground ? this.#settling(pending) : pending)
  }

  /** Repair awaits its requests: what awaits a promise goes on before time does. */
  #settling(pending: PendingRequest): PendingRequest {
    return {
      ...pending,
      onAnswer: (answer) => {
        this.#onSettle()
        pending.onAnswer(answer)
      },
      onLost: () => {
        this.#onSettle()
        pending.onLost()
      },
    }
  }
}

/** The real driver and registry of a connector, in a process that can be stopped and killed. */
export class ConnectorProcess {
  readonly proposerId: number
  readonly registry: GroupRegistry
  readonly clock: ProcessClock
  readonly transports: readonly SimulatedTransport[]
  isDead = false
  readonly #repair: Repair
  readonly #removal: Removal | undefined

  constructor(options: ConnectorProcessOptions) {
    const { proposerId, membership, clock, chance, transports, onSend } = options
    this.proposerId = proposerId
    this.clock = clock
    this.transports = transports
    const { removal } = options
    const { viewAgeMsMax, linkLimits } =
      removal === undefined ? { ...options, linkLimits: LINK_LIMITS } : livesWithin(removal.graceMs)
    const clientOptions = {
      ...options,
      drawProposerId: () => proposerId,
      viewAgeMsMax: Math.min(options.viewAgeMsMax, viewAgeMsMax),
      random: () => chance.uniform(),
    }
    const client = new RegisterClient(clientOptions, (index, onChange) => {
      const linkOptions = {
        transport: () => transports[index]!,
        nodeId: membership.members[index]!.nodeId,
        membership,
        clock,
        limits: linkLimits,
        onChange,
        onMismatch: () => {
          throw new Error('simulated nodes are who they are')
        },
      }
      return new WatchedLink(
        linkOptions,
        ({ key, request }) => onSend(index, key, request),
        () => clock.settle(),
      )
    })
    const { operationTimeoutMs } = options
    this.registry = new GroupRegistry({ client, nodes: [] }, { clock, operationTimeoutMs })
    this.#repair = newRepair(options, client)
    this.#repair.run().catch(options.onFailure)
    if (removal === undefined) return
    this.#removal = newRemoval(options, client, removal)
    this.#removal.run().catch(options.onFailure)
  }

  kill(): void {
    this.isDead = true
    this.#repair.close()
    this.#removal?.close()
    this.clock.kill()
    for (const transport of this.transports) transport.reset()
  }
}

/** Background repair as it ships, over the simulated links. */
function newRepair(options: ConnectorProcessOptions, client: RegisterClient): Repair {
  const { membership, clock, chance, transports, operationTimeoutMs, repair } = options
  const { clusterId, epoch } = membership
  const members = membership.members.map(({ nodeId }, index) => ({
    nodeId,
    link: client.links[index]!,
    transport: transports[index]!,
  }))
  const target = { clusterId, epoch, members, client: repair.client(client) }
  return new Repair({
    target: () => target,
    observe(key, replicas) {
      const found = findDivergences(key, replicas)
      if (found.length > 0) options.onFailure(new Violation('nodes never contradict each other', key))
      return found
    },
    clock,
    random: () => chance.uniform(),
    timeoutMs: () => operationTimeoutMs,
    limits: repair.limits,
    logger: { info: () => {}, debug: () => {} },
  })
}

/** The removal of what is left of deleted keys as it ships, over the simulated links. */
function newRemoval(
  { membership, clock, chance, transports }: ConnectorProcessOptions,
  client: RegisterClient,
  { graceMs, drawProposerId }: NonNullable<ConnectorProcessOptions['removal']>,
): Removal {
  const { clusterId, epoch } = membership
  const members = membership.members.map(({ nodeId }, index) => ({
    recipient: { clusterId, epoch, nodeId },
    link: client.links[index]!,
    transport: transports[index]!,
  }))
  return new Removal({
    target: () => ({ client, members }),
    range: { start: GROUP_NAMESPACE, end: GROUP_NAMESPACE_END },
    graceMs: () => graceMs,
    clock,
    random: () => chance.uniform(),
    drawProposerId,
    limits: REMOVAL_LIMITS,
    logger: { info: () => {}, debug: () => {} },
  })
}
