/** Reads groups from one node, past every connector: what this node, alone, has on its disk. */
import type { Group } from '../../group/group.ts'
import { decodeGroup } from '../../group/group-codec.ts'
import { LINK_LIMITS } from '../../replication/links/link-limits.ts'
import type { Description, ReceivedAnswers } from '../../rpc/messages.ts'
import type { BatchStream, NodeTransport } from '../../rpc/transport.ts'

/** The most reads in a batch: as many answers with the largest groups fit into one message of a node. */
const BATCH_SIZE = LINK_LIMITS.requestsPerBatchMax
/** Two batches at once keep a node busy without crowding out the connectors' own. */
const BATCHES_IN_FLIGHT = 2
const DESCRIBE_TIMEOUT_MS = 2_000
/** How long a node may take for a batch before it counts as silent. */
const ANSWER_TIMEOUT_MS = 5_000

/** What one node said: who it is, and told group by group, what it holds. */
export type NodeReadOptions = Readonly<{
  transport: NodeTransport
  groupIds: readonly string[]
  /** Refuses a node by a sentence; asked before anything is read. */
  check: (description: Description) => string | undefined
  /** `undefined`: the node has no such group. */
  onGroup: (groupId: string, group: Group | undefined) => void
}>

/**
 * Asks a node for each of these groups. Rejects, with a sentence, when it does not answer or is not the one
 * meant.
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
      if (mismatch !== undefined) return end(new Error('it is not the node it was a moment ago'))
      for (const [index, groupId] of batches[batchId - 1]!.entries()) {
        const value = answers[index]!.record.state.value
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
          end(new Error('it holds something that is no group', { cause }))
        }
      },
      onClose: (reason) => end(new Error(reason)),
    })
    fill()
  })
}
