/** Reads registers directly from one node, without a connector: what this node has on its disk. */
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

/** One register to read, and the number by which the caller knows it. */
export type Wanted = Readonly<{ number: number; key: string }>

/** What to read from which node, and what to do with the values. */
export type NodeReadOptions = Readonly<{
  transport: NodeTransport
  /** They are taken when they are needed. */
  wanted: Iterable<Wanted>
  /** Returns a reason to refuse the node. It is called before anything is read. */
  check: (description: Description) => string | undefined
  /**
   * Called for each register. `value: undefined`: the node holds none. If it throws, the node has failed:
   * its bytes are not what they should be.
   */
  onValue: (number: number, value: Uint8Array | undefined) => void
}>

/**
 * Asks a node for each of these registers. Rejects with a short reason if the node does not answer, or is
 * refused by `check`.
 */
export async function readNode({ transport, wanted, check, onValue }: NodeReadOptions): Promise<void> {
  const description = await transport.describe(DESCRIBE_TIMEOUT_MS).catch((cause: unknown) => {
    throw new Error('no answer', { cause })
  })
  const refusal = check(description)
  if (refusal !== undefined) throw new Error(refusal)
  await exchange({ transport, wanted, description, onValue })
}

type ExchangeOptions = Omit<NodeReadOptions, 'check'> & Readonly<{ description: Description }>

function exchange({ transport, wanted, description, onValue }: ExchangeOptions): Promise<void> {
  const { nodeId, membership } = description
  const rest = Iterator.from(wanted)
  /** The batches that were sent and not answered, by id. */
  const open = new Map<number, readonly Wanted[]>()
  return new Promise((resolve, reject) => {
    let sentCount = 0
    let stream: BatchStream | undefined
    const timer = setTimeout(() => end(new Error('no answer to a read')), ANSWER_TIMEOUT_MS)
    const end = (error?: Error) => {
      clearTimeout(timer)
      stream?.close()
      if (error === undefined) resolve()
      else reject(error)
    }
    const fill = () => {
      while (open.size < BATCHES_IN_FLIGHT) {
        const batch = take(rest, BATCH_SIZE)
        if (batch.length === 0) break
        sentCount += 1
        open.set(sentCount, batch)
        stream?.send({
          batchId: sentCount,
          clusterId: membership?.clusterId ?? '',
          epoch: membership?.epoch ?? 0,
          nodeId,
          membership: undefined,
          sentMs: 0,
          lifeMs: 0,
          requests: batch.map(({ key }) => ({ key, request: { kind: 'read' } })),
        })
      }
      if (open.size === 0) end()
    }
    const receive = ({ batchId, answers, mismatch }: ReceivedAnswers) => {
      if (mismatch !== undefined) return end(new Error('another node answers now, or its epoch has changed'))
      for (const [index, { number, key }] of (open.get(batchId) ?? []).entries()) {
        const answer = answers[index]
        if (answer === undefined || isDamage(answer)) return end(new Error(`its record of ${key} is damaged`))
        onValue(number, answer.record.state.value)
      }
      open.delete(batchId)
      timer.refresh()
      fill()
    }
    stream = transport.open({
      onAnswers: (batch) => {
        try {
          receive(batch)
        } catch (cause) {
          end(new Error('it holds bytes that are no group and no member', { cause }))
        }
      },
      onClose: (reason) => end(new Error(reason)),
    })
    fill()
  })
}

/** The next ones, at most `count`. (`Iterator.prototype.take` would end the iterator.) */
function take(rest: Iterator<Wanted>, count: number): Wanted[] {
  const taken: Wanted[] = []
  while (taken.length < count) {
    const { done, value } = rest.next()
    if (done === true) break
    taken.push(value)
  }
  return taken
}
