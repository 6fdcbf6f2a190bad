import type { ClusterStatus, MemberStatus } from '../../../api/status-schemas.ts'

/** What the verdict is made of. */
export type Facts = Readonly<{
  members: readonly Pick<MemberStatus, 'address' | 'role' | 'reachable' | 'lag'>[]
  /** How many members must answer, outside of a change of the membership. */
  quorum: number
  /** Whether enough of them do. */
  isQuorumReachable: boolean
  change: string | undefined
  /** Disks that are lost beyond repair, in a sentence without its full stop. */
  loss: string | undefined
  divergenceCount: number
}>

export type Verdict = Pick<ClusterStatus, 'verdict' | 'reason'>

/** One word and one sentence on how a cluster is. The worst comes first in the sentence. */
export function judge(facts: Facts): Verdict {
  const voters = facts.members.filter(({ role }) => role !== 'joining')
  const up = voters.filter(({ reachable }) => reachable).length
  const alarm = alarmOf(facts.divergenceCount)
  if (facts.loss !== undefined) return { verdict: 'unavailable', reason: sentence([facts.loss, ...alarm]) }
  if (!facts.isQuorumReachable) {
    const verb = up === 1 ? 'answers' : 'answer'
    const needed =
      facts.change === undefined ? `${facts.quorum} are needed` : 'a quorum of both memberships is needed'
    const missing = `only ${up} of ${voters.length} nodes ${verb}, and ${needed}: requests are refused until more are back (${silent(voters)})`
    return { verdict: 'unavailable', reason: sentence([missing, ...alarm]) }
  }
  const flaws = [
    ...alarm,
    ...missingOf(voters, up, facts),
    ...facts.members.flatMap(lagsBehind),
    ...(facts.change === undefined ? [] : [facts.change]),
  ]
  if (flaws.length > 0) return { verdict: 'degraded', reason: sentence(flaws) }
  const all = voters.length === 1 ? 'the one node answers' : `all ${voters.length} nodes answer`
  const isEqual = voters.length > 1 && voters.every(({ lag }) => lag === 0)
  return { verdict: 'healthy', reason: sentence([isEqual ? `${all}, and none is known to lag` : all]) }
}

/** Text as a sentence: a capital in front, a full stop behind. */
export function sentence(parts: readonly string[]): string {
  const text = parts.join('; ')
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

/** `1 key`, `2,000 keys`. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

function alarmOf(count: number): string[] {
  if (count === 0) return []
  return [
    `${counted(count, 'divergence', 'divergences')}: nodes hold different states as chosen, and a human must decide which is right`,
  ]
}

function missingOf(voters: Facts['members'], up: number, { quorum, change }: Facts): string[] {
  if (up === voters.length) return []
  const verb = up === 1 ? 'answers' : 'answer'
  // How many more may fail depends on which, while two memberships are in force.
  if (change !== undefined) return [`${up} of ${voters.length} nodes ${verb} (${silent(voters)})`]
  const spare = up - quorum
  const margin = spare === 0 ? 'none of them may fail' : `${counted(spare, 'more', 'more')} may fail`
  return [`${up} of ${voters.length} nodes ${verb}, which is enough, but ${margin} (${silent(voters)})`]
}

function silent(voters: Facts['members']): string {
  const addresses = voters.flatMap(({ address, reachable }) => (reachable ? [] : [address]))
  return `no answer from ${addresses.join(', ')}`
}

function lagsBehind({ address, role, lag }: Facts['members'][number]): string[] {
  // What a joining node lacks is said by its progress.
  if (lag === null || lag === 0 || role === 'joining') return []
  return [`${address} lags behind by ${counted(lag, 'key', 'keys')}, which are being repaired`]
}
