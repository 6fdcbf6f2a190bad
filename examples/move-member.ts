/**
 * Moves somebody from one group to another, with the client library: they are in at least one of the two
 * groups at every moment, whatever fails.
 *
 *   node examples/move-member.ts MEMBER_ID FROM TO
 *
 * There is no transaction over two groups, so the order matters: first add, and remove only when that is
 * done. Both may be repeated. `API` may name several connectors, with commas.
 */
import { CohortClient, CohortError, expectDone } from '../client/src/index.ts'

const [memberId, from, to] = process.argv.slice(2)
if (memberId === undefined || from === undefined || to === undefined)
  throw new Error('usage: move-member.ts MEMBER_ID FROM TO')

const urls = (process.env.API ?? 'http://127.0.0.1:8000').split(',')
await using cohort = new CohortClient({ urls, patienceMs: 30_000 })

try {
  const before = await cohort.members.get(from, memberId)
  if (before.outcome === 'refused') {
    // The compiler knows every code with which this can be refused.
    const isElsewhere = before.problem.code === 'group_member_not_found'
    console.log(isElsewhere ? `${memberId} is not in ${from}` : before.problem.title)
    process.exitCode = 1
  } else {
    const { role } = expectDone(before)
    expectDone(await cohort.members.put(to, memberId, { role }))
    const removed = await cohort.members.remove(from, memberId)
    // After a lost answer the outcome is unknown, but it is certain that they are not in the group any more.
    const isGone = removed.outcome === 'unknown' && removed.refusal?.code === 'group_member_not_found'
    if (!isGone) expectDone(removed)
    console.log(`${memberId} is in ${to} now${role === undefined ? '' : `, as ${role}`}`)
  }
} catch (error) {
  if (!(error instanceof CohortError)) throw error
  console.error(error.message)
  process.exitCode = error.outcome.outcome === 'unknown' ? 3 : 1
}
