/**
 * One epoch of the cluster, with the nodes, their links, and a client that has a proposer id of its own.
 */
import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { TIMEOUTS_PER_GRACE } from '../register/grace-time.ts'
import type { KeyFault } from '../register/operation.ts'
import { type Quorums, unanimousQuorums } from '../register/quorum.ts'
import type { Counters } from '../replication/counters.ts'
import type { Replica } from '../replication/divergence.ts'
import { livesWithin } from '../replication/lives.ts'
import { RegisterClient } from '../replication/register-client.ts'
import { nodesOfEpoch } from '../rpc/membership.ts'
import type { Member, Membership, Mismatch } from '../rpc/messages.ts'
import { EpochNode } from './epoch-node.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { Seams } from './seams.ts'

export type Epoch = Readonly<{
  membership: Membership
  client: RegisterClient
  /** In the order of `nodesOfEpoch`, which is also that of the client's quorums. */
  nodes: readonly EpochNode[]
}>

/** What a connector needs to open an epoch. */
export type EpochOptions = Readonly<{
  directory: NodeDirectory
  /**
   * The longest time that an operation takes, from the settings. A short grace time makes it shorter.
   */
  operationTimeoutMs: number
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  /** Draws a proposer id that no process has had before. */
  drawProposerId: () => number
  counters: Counters
  logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
  /** Called when an operation ended because of a fault of its key. */
  onKeyFault: (key: string, fault: KeyFault) => void
  /** Called with a key of which a node has answered that its record is damaged. */
  onDamage: (key: string) => void
  /** Called with records of nodes that contradict each other. */
  onDivergence: (key: string, replicas: readonly Replica[]) => void
  seams: Seams
}>

/**
 * Opens an epoch. Its links begin to connect at once.
 *
 * @param onMismatch called when a node does not act on a batch of this epoch; `mismatch` says which node has
 *   answered. The link calls it: do not close the client in it
 */
export function openEpoch(
  membership: Membership,
  options: EpochOptions,
  onMismatch: (node: Member, mismatch: Mismatch) => void,
): Epoch {
  const { tombstoneGraceMs } = membership
  const quorums = options.seams.membership.quorumsOf(membership)
  const opened = connect(
    { members: nodesOfEpoch(membership), membership, quorums, tombstoneGraceMs, onMismatch },
    options,
  )
  return { membership, ...opened }
}

/**
 * A client for new nodes, which have no membership yet. It is used for the birth of the cluster only, to
 * which all of the nodes must agree.
 */
export function openBirth(
  members: readonly Member[],
  tombstoneGraceMs: number,
  options: EpochOptions,
): RegisterClient {
  const quorums = unanimousQuorums(members.length)
  // Another connector may finish the birth first. Then the next search finds the chosen membership.
  const onMismatch = () => {}
  return connect({ members, membership: undefined, quorums, tombstoneGraceMs, onMismatch }, options).client
}

/** The longest time that an operation takes in a cluster with this grace time (protocol.md §6). */
export function operationTimeoutWithin(tombstoneGraceMs: number, operationTimeoutMs: number): number {
  return Math.min(operationTimeoutMs, tombstoneGraceMs / TIMEOUTS_PER_GRACE)
}

function connect(
  {
    members,
    membership,
    quorums,
    tombstoneGraceMs,
    onMismatch,
  }: Readonly<{
    members: readonly Member[]
    membership: Membership | undefined
    quorums: Quorums
    tombstoneGraceMs: number
    onMismatch: (node: Member, mismatch: Mismatch) => void
  }>,
  {
    directory,
    clock,
    random,
    drawProposerId,
    counters,
    logger,
    onKeyFault,
    onDamage,
    onDivergence,
    ...rest
  }: EpochOptions,
): Readonly<{ client: RegisterClient; nodes: readonly EpochNode[] }> {
  const { rules, newLink, viewCacheBytesMax, viewAgeMsMax: viewAgeMsLimit } = rest.seams
  const { viewAgeMsMax, linkLimits } = livesWithin(tombstoneGraceMs)
  const { clusterId, epoch } = membership ?? { clusterId: '', epoch: 0 }
  const nodes: EpochNode[] = []
  const client = new RegisterClient(
    {
      drawProposerId,
      quorums,
      rules,
      clock,
      random,
      operationTimeoutMs: operationTimeoutWithin(tombstoneGraceMs, rest.operationTimeoutMs),
      viewCacheBytesMax,
      viewAgeMsMax: Math.min(viewAgeMsMax, viewAgeMsLimit),
      counters,
      onKeyFault,
      onDamage,
      onDivergence,
    },
    (index, onSuspicion) => {
      const member = members[index]!
      const { nodeId } = member
      const link = newLink({
        transport: () => directory.transportOf(member),
        nodeId,
        membership,
        clock,
        limits: linkLimits,
        counters,
        onChange: () => {
          onSuspicion()
          const { isReachable: reachable, isSuspect: suspect } = link
          const address = directory.addressOf(member)
          logger.debug({ node: nodeId, address, epoch, reachable, suspect }, 'a node changed')
        },
        onMismatch: (mismatch) => onMismatch(member, mismatch),
      })
      nodes.push(new EpochNode(member, { clusterId, epoch, nodeId }, link, directory))
      return link
    },
  )
  return { client, nodes }
}
