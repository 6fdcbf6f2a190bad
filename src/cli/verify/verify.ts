/**
 * `cohort verify`: many clients work on a cluster at the same time. Then it judges whether what they saw is
 * linearizable.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { VERSION } from '../../process/version.ts'
import { ApiClient, type ApiCredentials } from '../api-client.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { describeUnreachable } from '../group-command.ts'
import { formatCount, Progress, type ProgressOutput } from '../progress.ts'
import { cleanUp } from './clean-up.ts'
import { type Findings, noFindings } from './findings.ts'
import type { Judgement } from './judge-history.ts'
import type { KeyHistory } from './key-history.ts'
import type { Operation } from './operation.ts'
import { checkHistoryPath, saveHistory } from './save-history.ts'
import { isChecked, verifyReportLines } from './verify-report.ts'
import { VerifyTally } from './verify-tally.ts'
import { type Link, Workload } from './workload.ts'

export type VerifyOptions = Readonly<{
  /** Connectors of one cluster, at least one, with the credentials for each. */
  targets: readonly Readonly<{ url: string; credentials?: ApiCredentials }>[]
  seconds: number
  clients: number
  /**
   * The file for the history of a violation. `undefined`: `cohort-verify-<run>.jsonl` in the working
   * directory.
   */
  historyPath: string | undefined
  output: ProgressOutput
  /** When it aborts, the run ends early. What was done is still judged, reported and cleaned up. */
  signal: AbortSignal
}>

/**
 * More than a connector takes at most by default (3 s), and short enough for a user who waits after an
 * interrupt.
 */
const ANSWER_TIMEOUT_MS = 10_000
const PAUSE_MS = 100
/** How long to wait, after an interrupt, for operations that were sent. */
const INTERRUPT_PATIENCE_MS = 2_000
const CLEAN_UP_PATIENCE_MS = 30_000
/**
 * In this time an operation that was given up may still happen, and create a group that must be deleted
 * again.
 */
const AFTERMATH_MS = 1_000
const CLEAN_UP_CLIENTS_MAX = 16

/**
 * Makes the run and prints the report.
 *
 * @returns the exit code: ok when all answers are linearizable
 * @throws CommandFailure when no connector answers, when the connectors serve different clusters, or when a
 *   history could not be saved
 */
export async function verify(options: VerifyOptions): Promise<number> {
  const { output, signal } = options
  const run = randomBytes(4).toString('hex')
  const prefix = `cohort-verify-${run}/`
  const { historyPath = `cohort-verify-${run}.jsonl` } = options
  await checkHistoryPath(historyPath)
  const hasMembers = await findConnectors(options)
  output.write(
    `verifying ${urlsOf(options).join(', ')} for ${options.seconds} s with ${options.clients} clients, on groups ${prefix}…${hasMembers ? ' and their members' : ''}\n`,
  )
  const tally = new VerifyTally()
  const findings = noFindings()
  const kept: Operation[] = []
  const used = await work({ ...options, hasMembers, prefix, tally, findings, kept })
  const keyCount = used.keys.size
  const leftovers = await removeAll(options, used)
  for (const line of verifyReportLines({ tally, findings, keyCount, leftovers })) output.write(`${line}\n`)
  if (kept.length > 0) {
    const { seconds, clients } = options
    const urls = urlsOf(options)
    await saveHistory(historyPath, { run, version: VERSION, urls, seconds, clients }, kept)
    output.write(`history     ${historyPath}\n`)
  }
  if (findings.violations.length > 0) return EXIT.failed
  if (signal.aborted) return EXIT.interrupted
  return isChecked(tally, findings) ? EXIT.ok : EXIT.failed
}

type WorkOptions = VerifyOptions &
  Readonly<{ hasMembers: boolean; prefix: string; tally: VerifyTally; findings: Findings; kept: Operation[] }>

/** `uncertain`: the `keys` on which an operation may still happen whose client has given up. */
type UsedKeys = Readonly<{ keys: Set<string>; uncertain: Set<string> }>

/** Runs the clients for the time of the run. */
async function work(options: WorkOptions): Promise<UsedKeys> {
  const { seconds, clients, hasMembers, output, signal, prefix, tally, findings, kept } = options
  const links = openLinks(options, clients)
  const used = { keys: new Set<string>(), uncertain: new Set<string>() }
  const violated = new AbortController()
  const startMs = output.nowMs()
  const progress = new Progress(output)
  const state = () => {
    const done = Math.min(seconds, Math.floor((output.nowMs() - startMs) / 1_000))
    const unknown = tally.sum('unknown')
    const note = `${formatCount(tally.total)} operations${unknown === 0 ? '' : `, ${formatCount(unknown)} unknown`}`
    return { label: 'second', done, total: seconds, note }
  }
  const ending = AbortSignal.any([signal, violated.signal, AbortSignal.timeout(seconds * 1_000)])
  const workload = new Workload({
    links,
    clients,
    hasMembers,
    prefix,
    signal: ending,
    random: Math.random,
    nowMs: output.nowMs,
    pauseMs: PAUSE_MS,
    tally,
    onOperation: () => progress.show(state()),
    onJudged: (history, judgement) => {
      used.keys.add(history.key)
      if (history.hasUnknown) used.uncertain.add(history.key)
      if (judgement.kind === 'violated') violated.abort()
      record(history, judgement, findings, kept)
    },
  })
  const interrupt = () => setTimeout(() => closeLinks(links), INTERRUPT_PATIENCE_MS).unref()
  signal.addEventListener('abort', interrupt, { once: true })
  await workload.run()
  await workload.finish()
  signal.removeEventListener('abort', interrupt)
  progress.finish(state())
  await closeLinks(links)
  return used
}

function record(history: KeyHistory, judgement: Judgement, findings: Findings, kept: Operation[]): void {
  const { key, operations } = history
  switch (judgement.kind) {
    case 'linearizable':
      findings.linearizable += 1
      return
    case 'undecided':
      findings.undecided += 1
      break
    case 'violated':
      findings.violations.push({ key, judgement })
      break
    default:
      return judgement satisfies never
  }
  for (const operation of operations) kept.push(operation)
}

/** Deletes every group of the run. Returns the keys that may be left. */
async function removeAll(options: VerifyOptions, { keys, uncertain }: UsedKeys): Promise<Set<string>> {
  const { clients, output, signal } = options
  const { nowMs } = output
  const concurrency = Math.min(clients, CLEAN_UP_CLIENTS_MAX)
  const patienceMs = signal.aborted ? CLEAN_UP_PATIENCE_MS / 6 : CLEAN_UP_PATIENCE_MS
  const links = openLinks(options, concurrency)
  const leftovers = new Set(keys)
  const input = { links, leftovers, concurrency, patienceMs, pauseMs: PAUSE_MS, nowMs }
  await cleanUp(input)
  if (uncertain.size > 0) {
    await sleep(AFTERMATH_MS)
    for (const key of uncertain) leftovers.add(key)
    await cleanUp(input)
  }
  await closeLinks(links)
  return leftovers
}

function urlsOf({ targets }: VerifyOptions): string[] {
  return targets.map(({ url }) => url)
}

function openLinks({ targets }: VerifyOptions, connections: number): (Link & { client: ApiClient })[] {
  return targets.map(({ url, credentials }) => ({
    url,
    client: new ApiClient({ url, credentials, connections, answerTimeoutMs: ANSWER_TIMEOUT_MS }),
  }))
}

async function closeLinks(links: readonly { client: ApiClient }[]): Promise<void> {
  await Promise.all(links.map(({ client }) => client.close()))
}

/**
 * Checks that the connectors belong to one cluster. Some of them may be down, since faults are the purpose.
 *
 * @returns whether groups have members there: not every engine has them
 */
async function findConnectors(options: VerifyOptions): Promise<boolean> {
  const links = openLinks(options, 1)
  try {
    const replies = await Promise.all(
      links.map(async ({ url, client }) => ({ url, reply: await client.cluster() })),
    )
    const [first] = replies
    if (first !== undefined && replies.every(({ reply }) => reply.kind === 'unreachable')) {
      const { reply, url } = first
      throw new CommandFailure(describeUnreachable(url, reply.kind === 'unreachable' ? reply.reason : ''))
    }
    const clusters = replies.flatMap(({ url, reply }) => {
      const clusterId = reply.kind === 'answered' ? reply.value.clusterId : null
      return clusterId === null ? [] : [{ url, clusterId }]
    })
    const other = clusters.find(({ clusterId }) => clusterId !== clusters[0]!.clusterId)
    if (other !== undefined) {
      throw new CommandFailure(`${clusters[0]!.url} and ${other.url} serve different clusters`)
    }
    const probes = await Promise.all(links.map(({ client }) => client.getGroupMember('cohort-verify', 'any')))
    return !probes.some((probe) => probe.kind === 'problem' && probe.problem.code === 'not_found')
  } finally {
    await closeLinks(links)
  }
}
