import { GroupRegistry } from '../../connector/group-registry.ts'
import { type Errand, LINK_LIMITS, NodeLink } from '../../connector/node-link.ts'
import { RegisterClient } from '../../connector/register-client.ts'
import type { Request } from '../../register/messages.ts'
import type { Quorums } from '../../register/quorum.ts'
import type { Rules } from '../../register/rules.ts'
import type { Membership } from '../../rpc/messages.ts'
import type { Chance } from '../chance.ts'
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
  memoriesMax: number
  viewAgeMsMax: number
  /** A proposer sends a request, in the same turn in which it decided to. */
  onSend: (node: number, key: string, request: Request) => void
}>

/** The link that ships, watched. */
class WatchedLink extends NodeLink {
  readonly #onSend: (errand: Errand) => void

  constructor(options: ConstructorParameters<typeof NodeLink>[0], onSend: (errand: Errand) => void) {
    super(options)
    this.#onSend = onSend
  }

  override send(errand: Errand): boolean {
    this.#onSend(errand)
    return super.send(errand)
  }
}

/** The real driver and registry of a connector, in a process that can be stopped and killed. */
export class ConnectorProcess {
  readonly proposerId: number
  readonly registry: GroupRegistry
  readonly clock: ProcessClock
  readonly transports: readonly SimulatedTransport[]
  isDead = false

  constructor(options: ConnectorProcessOptions) {
    const { proposerId, membership, clock, chance, transports, onSend } = options
    this.proposerId = proposerId
    this.clock = clock
    this.transports = transports
    const client = new RegisterClient({ ...options, random: () => chance.uniform() }, (index, onChange) => {
      const linkOptions = {
        transport: () => transports[index]!,
        nodeId: membership.members[index]!.nodeId,
        membership,
        clock,
        limits: LINK_LIMITS,
        onChange,
        onMismatch: () => {
          throw new Error('simulated nodes are who they are')
        },
      }
      return new WatchedLink(linkOptions, ({ key, request }) => onSend(index, key, request))
    })
    const { operationTimeoutMs } = options
    this.registry = new GroupRegistry({ client, keySources: [] }, { clock, operationTimeoutMs })
  }

  kill(): void {
    this.isDead = true
    this.clock.kill()
    for (const transport of this.transports) transport.reset()
  }
}
