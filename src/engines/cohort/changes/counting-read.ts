import type { EpochNode } from '../../../membership/epoch-node.ts'
import type { Clock } from '../../../process/clock.ts'
import { isDamage } from '../../../register/damage.ts'
import type { KeyRecord } from '../../../register/messages.ts'
import type { Value } from '../../../register/state.ts'
import { ask } from '../../../replication/links/ask.ts'
import type { RegisterClient } from '../../../replication/register-client.ts'

/** The nodes of an epoch, and the client that knows its quorums. */
export type ReadTarget = Readonly<{
  nodes: readonly Pick<EpochNode, 'nodeId' | 'link'>[]
  client: Pick<RegisterClient, 'judge' | 'settle' | 'isQuorum'>
}>

/** What a read has found, and the nodes whose answers have counted. `undefined`: it has failed. */
export type CountedRead = Readonly<{ value: Value; counted: readonly string[] }> | undefined

/** After this time the other nodes are asked too. */
const HEDGE_MS = 50

/** After this time the read does not wait any more for the nodes that it should count. */
const WAIT_MS = 400

/** How often a round decides what the records do not show. */
const ROUNDS_MAX = 3

/**
 * Reads a key so that the answers of these nodes count, if they come in time. What is found is then chosen at
 * a ballot that is at least as high as every vote of these nodes (protocol.md §10).
 */
export async function readCounting(
  target: ReadTarget,
  { key, nodeIds }: Readonly<{ key: string; nodeIds: readonly string[] }>,
  clock: Pick<Clock, 'after'>,
): Promise<CountedRead> {
  const { client, nodes } = target
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const records = await collect(target, key, nodeIds, clock)
    const judgement = client.judge(records)
    if (judgement === undefined) return undefined
    const { chosen } = judgement
    if (chosen !== undefined) {
      const counted = nodes.flatMap(({ nodeId }, index) => (records[index] === undefined ? [] : [nodeId]))
      return { value: chosen.state.value, counted }
    }
    const outcome = await client.settle(key)
    if (outcome.kind !== 'decided') return undefined
  }
  return undefined
}

/**
 * Asks the nodes that must count, and so many others that they are a classic quorum; the rest if that does
 * not show what is chosen.
 */
function collect(
  { nodes, client }: ReadTarget,
  key: string,
  nodeIds: readonly string[],
  clock: Pick<Clock, 'after'>,
): Promise<(KeyRecord | undefined)[]> {
  return new Promise((resolve) => {
    const records: (KeyRecord | undefined)[] = nodes.map(() => undefined)
    let asked = 0
    let ended = 0
    let isOver = false
    const finish = (): void => {
      if (isOver) return
      isOver = true
      cancelHedge()
      cancelWait()
      resolve(records.slice())
    }
    const evaluate = (): void => {
      if (isOver || ended !== asked) return
      const isKnown = client.judge(records)?.chosen !== undefined
      if (isKnown || asked === 2 ** nodes.length - 1) finish()
      else askRest()
    }
    const askNode = (index: number): void => {
      asked |= 1 << index
      void ask(nodes[index]!.link, key, { kind: 'read' }).then((reply) => {
        // A damaged record says nothing about its node.
        if (reply !== undefined && !isDamage(reply)) records[index] = reply.record
        ended |= 1 << index
        evaluate()
      })
    }
    const askRest = (): void => {
      for (const index of nodes.keys()) if (!(asked & (1 << index))) askNode(index)
    }
    const cancelHedge = clock.after(HEDGE_MS, askRest)
    const cancelWait = clock.after(WAIT_MS, finish)
    for (const [index, { nodeId }] of nodes.entries()) if (nodeIds.includes(nodeId)) askNode(index)
    for (const [index, { link }] of nodes.entries())
      if (!client.isQuorum(asked) && !(asked & (1 << index)) && !link.isSuspect) askNode(index)
    for (const index of nodes.keys()) if (!client.isQuorum(asked) && !(asked & (1 << index))) askNode(index)
  })
}
