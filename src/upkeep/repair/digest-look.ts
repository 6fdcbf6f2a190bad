/**
 * Compares what nodes hold with a few kilobytes of messages: first the digests of all branches, then those of
 * the leaves in the branches that differ.
 */
import { BRANCH_COUNT, LEAVES_PER_BRANCH } from '../../rpc/messages.ts'
import type { RepairMember, RepairTarget } from './repair-target.ts'
import { shuffle } from './shuffle.ts'

/** The result of one comparison. */
export type Look = Readonly<{
  /** The members that were compared. They have answered every request. */
  members: readonly RepairMember[]
  /** The leaves in which they differ, each with its digests by member. */
  leaves: ReadonlyMap<number, readonly number[]>
}>

/** How long a node may take to answer with digests, which it has in memory. */
const DIGEST_TIMEOUT_MS = 2_000
/**
 * Branches in one request. They have 4,096 leaves, about 30 KB, which take node and connector less than a
 * millisecond.
 */
const BRANCHES_PER_REQUEST = 16

type Digests = readonly (readonly number[])[]

/**
 * Compares the members that answer. `undefined`: fewer than two answer. Several looks may run at once.
 *
 * @param random uniform in [0, 1)
 */
export async function lookAtDigests(target: RepairTarget, random: () => number): Promise<Look | undefined> {
  let members = target.members.filter(({ link }) => !link.isSuspect)
  while (members.length > 1) {
    const leaves = await differingLeaves(target, members, random)
    if (leaves instanceof Map) return { members, leaves }
    members = members.filter((member) => !leaves.has(member))
  }
  return undefined
}

/** The leaves in which the members differ, or the set of the members that did not answer. */
async function differingLeaves(
  target: RepairTarget,
  members: readonly RepairMember[],
  random: () => number,
): Promise<Map<number, readonly number[]> | Set<RepairMember>> {
  const roots = await askAll(target, members, [])
  if (roots instanceof Set) return roots
  const branches = shuffle(indexesThatDiffer(roots), random)
  const leaves = new Map<number, readonly number[]>()
  for (let at = 0; at < branches.length; at += BRANCHES_PER_REQUEST) {
    const asked = branches.slice(at, at + BRANCHES_PER_REQUEST)
    const digests = await askAll(target, members, asked)
    if (digests instanceof Set) return digests
    for (const index of indexesThatDiffer(digests)) {
      const branch = asked[Math.floor(index / LEAVES_PER_BRANCH)]!
      leaves.set(
        branch * LEAVES_PER_BRANCH + (index % LEAVES_PER_BRANCH),
        digests.map((ofMember) => ofMember[index]!),
      )
    }
  }
  return leaves
}

async function askAll(
  { clusterId, epoch }: RepairTarget,
  members: readonly RepairMember[],
  branches: readonly number[],
): Promise<Digests | Set<RepairMember>> {
  const expected = branches.length === 0 ? BRANCH_COUNT : branches.length * LEAVES_PER_BRANCH
  const answers = await Promise.all(
    members.map(async ({ nodeId, transport }) => {
      const request = { clusterId, epoch, nodeId, branches }
      // No answer, another epoch, or an answer to another question: this member cannot be compared.
      const answer = await transport.digest(request, DIGEST_TIMEOUT_MS).catch(() => undefined)
      return answer?.digests.length === expected ? answer.digests : undefined
    }),
  )
  const digests = answers.filter((answer) => answer !== undefined)
  if (digests.length === members.length) return digests
  return new Set(members.filter((_, index) => answers[index] === undefined))
}

function indexesThatDiffer([first, ...others]: Digests): number[] {
  const indexes: number[] = []
  first?.forEach((digest, index) => {
    if (others.some((other) => other[index] !== digest)) indexes.push(index)
  })
  return indexes
}
