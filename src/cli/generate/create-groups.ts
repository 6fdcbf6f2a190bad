import type { ApiClient, GroupView, Reply } from '../api-client.ts'
import { repliesOf } from './batch-replies.ts'
import { type SendOptions, sendBatches, type Tally } from './send-batches.ts'

export type CreateOptions = Readonly<{
  client: Pick<ApiClient, 'create' | 'batch'>
  /** The id of the group with this number. */
  idOf: (number: number) => string
  /** How many groups one request creates. `undefined`: one, without a batch. */
  batchSize?: number | undefined
}> &
  Pick<SendOptions<GroupView>, 'concurrency' | 'signal' | 'onProgress'>

type Shown = Pick<GroupView, 'version' | 'createdAt' | 'updatedAt'>

/** Creates all groups of the tally, and records the results there. */
export function createGroups(
  { client, idOf, batchSize, ...rest }: CreateOptions,
  tally: Tally,
): Promise<void> {
  const options: SendOptions<Shown> = {
    ...rest,
    batches: numbersInBatches(tally.ledger.size, batchSize ?? 1),
    send: async (batch) => {
      const groupIds = batch.map(idOf)
      if (batchSize === undefined) return [await client.create({ groupId: groupIds[0]! })]
      const reply = await client.batch({ create: groupIds.map((groupId) => ({ groupId })) })
      return repliesOf(batch.length, created(reply))
    },
    stateOf: stateOfGroup,
    repeatsOverloaded: batchSize !== undefined,
  }
  return sendBatches(options, tally)
}

/**
 * A text for the state of a group. The times are part of it: a group that was deleted and created again
 * starts with version 1 again.
 */
export function stateOfGroup({ version, createdAt, updatedAt }: Shown): string {
  return `${version} ${createdAt} ${updatedAt}`
}

/** The numbers from 0 up to `size`, `batchSize` at a time. */
export function* numbersInBatches(size: number, batchSize: number): Generator<number[]> {
  for (let first = 0; first < size; first += batchSize)
    yield Array.from({ length: Math.min(batchSize, size - first) }, (_, index) => first + index)
}

type Batched = Awaited<ReturnType<ApiClient['batch']>>

function created(reply: Batched): Reply<Extract<Batched, { kind: 'answered' }>['value']['create']> {
  return reply.kind === 'answered' ? { ...reply, value: reply.value.create } : reply
}
