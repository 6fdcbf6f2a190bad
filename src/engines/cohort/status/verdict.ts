import type { ClusterStatus, MemberStatus } from '../../../api/status-schemas.ts'

/** What the verdict depends on. */
export type Facts = Readonly<{
  members: readonly Pick<MemberStatus, 'address' | 'role' | 'reachable' | 'lag' | 'damaged'>[]
  /** How many members must answer, outside of a change of the membership. */
  quorum: number
  /** Whether enough members answer. */
  isQuorumReachable: boolean
  change: string | undefined
  replacement: ClusterStatus['replacement']
  /** Names disks that are lost and cannot be repaired, as a sentence without its full stop. */
  loss: string | undefined
  divergenceCount: number
}>

export type Verdict = Pick<ClusterStatus, 'verdict' | 'reason'>

/** The state of a cluster in one word and one sentence. The sentence names the worst fact first. */
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
    return { verdict: 'unavailable', reason: sentence([missing, ...waitingFor(facts.replacement), ...alarm]) }
  }
  const flaws = [
    ...alarm,
    ...missingOf(voters, up, facts),
    ...facts.members.flatMap(lagsBehind),
    ...facts.members.flatMap(holdsDamaged),
    ...waitingFor(facts.replacement),
    ...(facts.change === undefined ? [] : [facts.change]),
  ]
  if (flaws.length > 0) return { verdict: 'degraded', reason: sentence(flaws) }
  const all = voters.length === 1 ? 'the one node answers' : `all ${voters.length} nodes answer`
  const isEqual = voters.length > 1 && voters.every(({ lag }) => lag === 0)
  return { verdict: 'healthy', reason: sentence([isEqual ? `${all}, and none is known to lag` : all]) }
}

/** The parts as one sentence, with a capital at the start and a full stop at the end. */
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
  // With two memberships it depends on the nodes how many more may fail.
  if (change !== undefined) return [`${up} of ${voters.length} nodes ${verb} (${silent(voters)})`]
  const spare = up - quorum
  const margin = spare === 0 ? 'none of them may fail' : `${counted(spare, 'more', 'more')} may fail`
  return [`${up} of ${voters.length} nodes ${verb}, which is enough, but ${margin} (${silent(voters)})`]
}

function waitingFor(replacement: ClusterStatus['replacement']): string[] {
  if (replacement === null) return []
  const { nodeId, address, seconds } = replacement
  return [
    `the empty node at ${address} takes the place of ${nodeId} in ${counted(seconds, 'second', 'seconds')}, unless that member comes back with its data before`,
  ]
}

function silent(voters: Facts['members']): string {
  const addresses = voters.flatMap(({ address, reachable }) => (reachable ? [] : [address]))
  return `no answer from ${addresses.join(', ')}`
}

function lagsBehind({ address, role, lag }: Facts['members'][number]): string[] {
  // The progress of a joining node says what it lacks.
  if (lag === null || lag === 0 || role === 'joining') return []
  return [`${address} lags behind by ${counted(lag, 'key', 'keys')}, which are being repaired`]
}

function holdsDamaged({ address, damaged }: Facts['members'][number]): string[] {
  if (damaged === null || damaged === 0) return []
  return [
    `the disk of ${address} has spoiled ${counted(damaged, 'record', 'records')}, which have no vote until they have healed`,
  ]
}
