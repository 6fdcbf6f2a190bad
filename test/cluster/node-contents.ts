/** The contents of nodes, read from each node by itself, for tests that compare them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { formatBallot } from '../../src/register/ballot.ts'
import { isDamage } from '../../src/register/damage.ts'
import { formatState } from '../../src/register/state.ts'
import { connectGrpc } from '../../src/rpc/grpc-transport.ts'
import type { Service } from './service.ts'
import { until, within } from './waiting.ts'

/** Some thousand records are read in less than a second; benchmarks have a million. */
const SCAN_MS = 60_000

/**
 * The time that repair may take after a node has returned, on a busy machine: two looks, a pass and a
 * comparison.
 */
const EQUAL_MS = 40_000

/**
 * By key, what a node has accepted: ballot, state and value as text. Without promises and marks.
 */
export type Contents = ReadonlyMap<string, string>

export function contentsOf(node: Service): Promise<Contents> {
  return within(SCAN_MS, scan(node), `${node.name} says what it holds`)
}

async function scan(node: Service): Promise<Contents> {
  const transport = connectGrpc(node.address)
  try {
    const contents = new Map<string, string>()
    for await (const page of transport.scan({ start: '', end: '', omitValues: false })) {
      for (const { key, record } of page) {
        if (isDamage(record)) {
          contents.set(key, 'damaged')
          continue
        }
        const { accepted, state } = record
        if (accepted === undefined) continue
        const value = state.value === undefined ? '' : Buffer.from(state.value).toString()
        contents.set(key, `${formatBallot(accepted)} ${formatState(state)} ${value}`)
      }
    }
    return contents
  } finally {
    transport.close()
  }
}

/** Whether the digests of all nodes are the same at this moment: as `differences`, in milliseconds. */
export async function haveEqualDigests(nodes: readonly Service[]): Promise<boolean> {
  const transports = nodes.map(({ address }) => connectGrpc(address))
  try {
    const digests = await Promise.all(
      transports.map(async (transport) => {
        const { nodeId, membership } = await transport.describe(1_000)
        const { clusterId = '', epoch = 0 } = membership ?? {}
        return (await transport.digest({ clusterId, epoch, nodeId, branches: [] }, 1_000)).digests.join()
      }),
    )
    return digests.every((digest) => digest !== '' && digest === digests[0])
  } catch {
    return false
  } finally {
    for (const transport of transports) transport.close()
  }
}

/** The keys in which some of the nodes differ from the first. */
export async function differences(nodes: readonly Service[]): Promise<string[]> {
  const [first, ...others] = await Promise.all(nodes.map(contentsOf))
  const keys = new Set([first!, ...others].flatMap((contents) => [...contents.keys()]))
  return [...keys].filter((key) => others.some((other) => other.get(key) !== first!.get(key)))
}

/** Between two comparisons: each reads all that the nodes hold. */
const COMPARISON_PAUSE_MS = 200

/** Waits until all of these nodes hold the same. */
export async function untilEqual(nodes: readonly Service[]): Promise<void> {
  let last: readonly string[] = []
  let isFirst = true
  const areEqual = async () => {
    if (!isFirst) await sleep(COMPARISON_PAUSE_MS)
    isFirst = false
    last = await differences(nodes).catch(() => ['a node does not answer'])
    return last.length === 0
  }
  await until(
    'all nodes hold the same',
    EQUAL_MS,
    areEqual,
    () => `they differ in ${last.length}: ${last[0]}`,
  )
}
