/** Reads groups directly from one node, without a connector: what this node has on its disk. */
import type { Group } from '../../group/group.ts'
import { decodeGroup } from '../../group/group-codec.ts'
import { isDamage } from '../../register/damage.ts'
import { LINK_LIMITS } from '../../replication/links/link-limits.ts'
import type { Description, ReceivedAnswers } from '../../rpc/messages.ts'
import type { BatchStream, NodeTransport } from '../../rpc/transport.ts'

/** How many reads a batch has. The answers fit into one message of a node even for the largest groups. */
const BATCH_SIZE = LINK_LIMITS.requestsPerBatchMax
/** Two batches at once keep a node busy, but leave room for the batches of connectors. */
const BATCHES_IN_FLIGHT = 2
const DESCRIBE_TIMEOUT_MS = 2_000
/** How long a node may take for a batch before it counts as not answering. */
const ANSWER_TIMEOUT_MS = 5_000

/** What to read from which node, and what to do with the groups. */
export type NodeReadOptions = Readonly<{
  transport: NodeTransport
  groupIds: readonly string[]
  /** Returns a reason to refuse the node. It is called before anything is read. */
  check: (description: Description) => string | undefined
  /** Called for each group. `group: undefined`: the node does not hold it. */
  onGroup: (groupId: string, group: Group | undefined) => void
}>

/**
 * Asks a node for each of these groups. Rejects with a short reason if the node does not answer, or is
 * refused by `check`.
 */
export async function readNode({ transport, groupIds, check, onGroup }: NodeReadOptions): Promise<void> {
  const description = await transport.describe(DESCRIBE_TIMEOUT_MS).catch((cause: unknown) => {
    throw new Error('no answer', { cause })
  })
  const refusal = check(description)
  if (refusal !== undefined) throw new Error(refusal)
  if (groupIds.length > 0) await exchange({ transport, groupIds, description, onGroup })
}

type ExchangeOptions = Omit<NodeReadOptions, 'check'> & Readonly<{ description: Description }>

function exchange({ transport, groupIds, description, onGroup }: ExchangeOptions): Promise<void> {
  const { nodeId, membership } = description
  const batches = Array.from({ length: Math.ceil(groupIds.length / BATCH_SIZE) }, (_, index) =>
    groupIds.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE),
  )
  return new Promise((resolve, reject) => {
    let sent = 0
    let answered = 0
    let stream: BatchStream | undefined
    const timer = setTimeout(() => end(new Error('no answer to a read')), ANSWER_TIMEOUT_MS)
    const end = (error?: Error) => {
      clearTimeout(timer)
      stream?.close()
      if (error === undefined) resolve()
      else reject(error)
    }
    const fill = () => {
      while (sent < batches.length && sent - answered < BATCHES_IN_FLIGHT) {
        const groupIdsOfBatch = batches[sent]!
        sent += 1
        stream?.send({
          batchId: sent,
          clusterId: membership?.clusterId ?? '',
          epoch: membership?.epoch ?? 0,
          nodeId,
          membership: undefined,
          sentMs: 0,
          lifeMs: 0,
          requests: groupIdsOfBatch.map((groupId) => ({
            key: `group/${groupId}`,
            request: { kind: 'read' },
          })),
        })
      }
    }
    const take = ({ batchId, answers, mismatch }: ReceivedAnswers) => {
      if (mismatch !== undefined) return end(new Error('another node answers now, or its epoch has changed'))
      for (const [index, groupId] of batches[batchId - 1]!.entries()) {
        const answer = answers[index]
        if (answer === undefined || isDamage(answer))
          return end(new Error(`its record of the group ${groupId} is damaged`))
        const { value } = answer.record.state
        onGroup(groupId, value === undefined ? undefined : decodeGroup(value))
      }
      answered += 1
      timer.refresh()
      if (answered === batches.length) end()
      else fill()
    }
    stream = transport.open({
      onAnswers: (batch) => {
        try {
          take(batch)
        } catch (cause) {
          end(new Error('it holds bytes that are not a group', { cause }))
        }
      },
      onClose: (reason) => end(new Error(reason)),
    })
    fill()
  })
}
