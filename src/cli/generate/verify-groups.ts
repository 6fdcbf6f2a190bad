/** Checks on each node directly whether it holds each group as it was created. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connect } from '../../rpc/transport.ts'
import type { GroupView } from '../api-client.ts'
import { readNode } from './read-node.ts'

/** What was found on one node. */
export type NodeVerdict = Readonly<{
  address: string
  /** The ids of the groups that the node holds as they were created. */
  held: Set<string>
  /** Of the creates with an unknown outcome: the ids that the node holds, in any version. */
  heldUnknown: Set<string>
  /** Why the last attempt to read the node failed. `undefined`: the node answered. */
  problem: string | undefined
}>

export type VerifyOptions = Readonly<{
  addresses: readonly string[]
  /** `undefined`: the nodes may belong to any cluster. */
  clusterId: string | undefined
  created: ReadonlyMap<string, GroupView>
  unknown: ReadonlySet<string>
  connect: Connect
  /** For how long a node that lags or does not answer is asked again. */
  patienceMs: number
  signal: AbortSignal
  /** `held`: how many groups were found so far, on all nodes together. */
  onProgress: (held: number) => void
}>

const PAUSE_MS = 200

/**
 * Asks all nodes at the same time. It never rejects: for a node that does not answer, nothing is held, and
 * `problem` says why.
 */
export function verifyGroups(options: VerifyOptions): Promise<NodeVerdict[]> {
  let held = 0
  const onHeld = () => {
    held += 1
    options.onProgress(held)
  }
  return Promise.all(options.addresses.map((address) => verifyOnNode(address, options, onHeld)))
}

async function verifyOnNode(
  address: string,
  options: VerifyOptions,
  onHeld: () => void,
): Promise<NodeVerdict> {
  const { created, unknown, signal, patienceMs } = options
  const held = new Set<string>()
  const heldUnknown = new Set<string>()
  const untilMs = performance.now() + patienceMs
  const transport = options.connect(address)
  let problem: string | undefined
  try {
    while (true) {
      try {
        problem = undefined
        await readNode({
          transport,
          groupIds: [...created.keys().filter((id) => !held.has(id)), ...unknown.difference(heldUnknown)],
          check: ({ membership }) => refuseMembership(membership?.clusterId, options.clusterId),
          onGroup: (groupId, group) => {
            if (group === undefined) return
            const expected = created.get(groupId)
            if (expected === undefined) heldUnknown.add(groupId)
            else if (isSame(group, expected) && !held.has(groupId)) {
              held.add(groupId)
              onHeld()
            }
          },
        })
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error)
      }
      // Groups with an unknown outcome may not exist, so the node is not asked for them again.
      if (held.size === created.size && problem === undefined) break
      if (signal.aborted || performance.now() >= untilMs) break
      await sleep(PAUSE_MS)
    }
  } finally {
    transport.close()
  }
  return { address, held, heldUnknown, problem }
}

function refuseMembership(found: string | undefined, expected: string | undefined): string | undefined {
  if (found === undefined) return 'it belongs to no cluster yet'
  if (expected !== undefined && found !== expected) return 'it belongs to another cluster'
  return undefined
}

/** The times matter too: a group that was deleted and created again starts with version 1 again. */
function isSame(group: Omit<GroupView, 'groupId'>, expected: GroupView): boolean {
  return (
    group.version === expected.version &&
    group.createdAt === expected.createdAt &&
    group.updatedAt === expected.updatedAt
  )
}

/** Entry `n` of the result is the number of groups that exactly `n` nodes hold. */
export function countByNodes(ids: Iterable<string>, holders: readonly ReadonlySet<string>[]): number[] {
  const counts = new Array<number>(holders.length + 1).fill(0)
  for (const id of ids) {
    const nodes = holders.filter((held) => held.has(id)).length
    counts[nodes] = counts[nodes]! + 1
  }
  return counts
}
