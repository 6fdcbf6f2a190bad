/** Runs seed after seed of one world, in a thread of its own or in the main thread. */
import { Chance } from './chance.ts'
import { newMemberProtocol } from './large/connector-process.ts'
import { shrinkLarge } from './large/shrink.ts'
import { type LargeOptions, runLarge } from './large/world.ts'
import { runMembers } from './members/member-world.ts'
import { PROTOCOL, type Protocol } from './protocol.ts'
import { run } from './small/schedule.ts'
import { report } from './small/shrink.ts'

/** `members`: the protocol of group members, over registers of a model. */
export type WorldSize = 'small' | 'large' | 'members'

/** How much the search has covered so far, and what it has found. `messages`: or operations of clients. */
export type Coverage = { runs: number; messages: number; failures: { seed: number; report: string }[] }

/**
 * A report shows at most this many lines, the last ones of a large run. Its seed gives the whole run again.
 */
const LINES_MAX = 400

/** Runs one seed, and adds it to `coverage`. */
export async function cover(size: WorldSize, seed: number, coverage: Coverage): Promise<void> {
  coverage.runs += 1
  if (size === 'small') {
    const result = run(seed, PROTOCOL)
    coverage.messages += result.messageCount
    if (result.failure !== undefined) coverage.failures.push({ seed, report: report(seed, result) })
    return
  }
  if (size === 'members') {
    const { operationCount, failure } = await runMembers(seed)
    coverage.messages += operationCount
    if (failure !== undefined) coverage.failures.push({ seed, report: await reportMembers(seed) })
    return
  }
  const options = searchedOptions(seed)
  const { messageCount, failure } = await runLarge(seed, PROTOCOL, options)
  coverage.messages += messageCount
  if (failure !== undefined)
    coverage.failures.push({ seed, report: await reportLarge(seed, LINES_MAX, PROTOCOL, options) })
}

/** All seeds are lower. */
const MEMBERS_APART = 2 ** 52

/** The options with which a search runs a seed of the large world: in three of ten, clients add members. */
export function searchedOptions(seed: number): LargeOptions {
  return new Chance(seed + MEMBERS_APART).happens(0.3) ? { newMemberProtocol } : {}
}

/** Returns what the clients of the world of group members did in the run of a seed. */
export async function reportMembers(seed: number): Promise<string> {
  const { lines, failure } = await runMembers(seed)
  return [`seed ${seed}:`, '', ...lines, '', failure?.message ?? 'no rule was broken'].join('\n')
}

/**
 * Returns the log of the run of a seed. If a rule is broken, it is the log of the smallest world of this seed
 * that shows it.
 */
export async function reportLarge(
  seed: number,
  linesMax = LINES_MAX,
  protocol: Protocol = PROTOCOL,
  options: LargeOptions = {},
): Promise<string> {
  const whole = await runLarge(seed, protocol, options)
  const bounds = whole.failure && (await shrinkLarge(seed, protocol, whole.failure, options))
  const { description, operationCount, lines, failure } = await runLarge(seed, protocol, {
    ...options,
    isTold: true,
    ...(bounds && { bounds }),
  })
  const shown = lines.slice(-linesMax)
  return [
    `seed ${seed}: ${description}, ${operationCount} of ${whole.operationCount} operations; the last ${shown.length} of ${lines.length} lines:`,
    '',
    ...shown,
    '',
    failure?.message ?? 'no rule was broken',
  ].join('\n')
}
