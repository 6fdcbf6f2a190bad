/** `cohort restore`: writes the groups of a backup into an empty cluster, as they were. */
import { ApiClient, type ApiCredentials, type StoredMember } from '../api-client.ts'
import { countedContents } from '../counted.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { findCluster } from '../find-cluster.ts'
import { printable } from '../format-group.ts'
import { describeProblem } from '../group-command.ts'
import type { Patience } from '../patiently.ts'
import { formatCount, Progress, type ProgressOutput } from '../progress.ts'
import { untilAborted } from '../until-aborted.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import type { BackupEnd } from './backup-format.ts'
import { BackupSource } from './backup-source.ts'
import { requireEmpty, requirePartOf } from './check-target.ts'
import { canServe, PATIENCE_MS, PAUSE_MS } from './patience.ts'
import { emptyTally, PAGES_IN_FLIGHT, type RestoreTally, sendGroups, sendMembers } from './send-groups.ts'

export type RestoreOptions = Readonly<{
  path: string
  /** Where the API is, for messages, and where each connector is (default: `url`). */
  url: string
  urls?: readonly string[]
  credentials?: ApiCredentials
  /** Whether the cluster may already hold groups of this backup. */
  isResumed: boolean
  /** Whether only the file is checked, without a cluster. */
  isCheckOnly: boolean
  output: ProgressOutput
  /** When it aborts, the restore ends and reports what was done. */
  signal: AbortSignal
  /** How long a cluster that has answered once may be unavailable, in milliseconds. Default: 20 s. */
  patienceMs?: number
}>

/** How many ids a report names. */
const IDS_SHOWN = 10

/**
 * Checks the whole file, then the cluster, and only then writes.
 *
 * @returns the exit code: ok when all groups of the file are in the cluster as they are in the file
 * @throws CommandFailure when the file or the cluster is refused, or the cluster becomes unavailable
 */
export async function restore(options: RestoreOptions): Promise<number> {
  const { path, url, urls, credentials, output, signal, patienceMs = PATIENCE_MS } = options
  const patience = { patienceMs, pauseMs: PAUSE_MS, nowMs: output.nowMs, signal }
  const source = await BackupSource.open(path)
  const client = new ApiClient({ url, urls, credentials, connections: PAGES_IN_FLIGHT })
  try {
    const total = await checkFile(source, options)
    if (options.isCheckOnly) return EXIT.ok
    await untilAborted(checkCluster({ client, source, patience }, options), signal)
    return await write({ client, source, patience }, total, options)
  } catch (error) {
    if (!signal.aborted || error instanceof CommandFailure) throw error
    output.write('interrupted; nothing was written\n')
    return EXIT.interrupted
  } finally {
    await client.close()
    await source.close()
  }
}

type Parts = Readonly<{ client: ApiClient; source: BackupSource; patience: Patience }>

/** @returns how many groups and members the file has */
async function checkFile(
  source: BackupSource,
  { path, isCheckOnly, output, signal }: RestoreOptions,
): Promise<BackupEnd> {
  const progress = new Progress(output)
  let done = 0
  const { header, end } = await source
    .check(() => {
      signal.throwIfAborted()
      done += 1
      progress.show({ label: 'checked', done, total: undefined, note: '' })
    })
    .catch((error: unknown) => {
      progress.clear()
      if (isCheckOnly || !(error instanceof CommandFailure)) throw error
      throw new CommandFailure(`${error.message}; nothing was written`, error.exitCode, { cause: error })
    })
  progress.clear()
  const { clusterId, startedAt, writtenBy } = header
  const origin = printable(`cluster ${clusterId}, from ${startedAt}, by ${writtenBy}`)
  output.write(`${path} is whole: ${countedContents(end.count, end.memberCount)} of ${origin}\n`)
  return end
}

async function checkCluster(
  { client, source, patience }: Parts,
  { url, isResumed, output }: RestoreOptions,
): Promise<void> {
  await findCluster(client, url, { ...patience, isEnough: canServe })
  if (!isResumed) return requireEmpty({ client, url, patience })
  const count = await requirePartOf({ client, url, patience }, source.groups())
  output.write(`${formatCount(count)} of them are there already\n`)
}

async function write(
  { client, source, patience }: Parts,
  { count, memberCount }: BackupEnd,
  options: RestoreOptions,
): Promise<number> {
  const groups = emptyTally()
  const sendAllGroups = (onProgress: () => void) =>
    sendGroups({ client, groups: source.groups(), patience, onProgress }, groups)
  const exitCode = await send(sendAllGroups, { tally: groups, total: count, noun: '' }, options)
  if (memberCount === 0 || exitCode === EXIT.interrupted) return exitCode
  // The members of a group that is another one now are not for that group.
  const refused = new Set(groups.conflicts)
  const members = emptyTally()
  const sendAllMembers = (onProgress: () => void) =>
    sendMembers({ client, members: withoutGroups(source.members(), refused), patience, onProgress }, members)
  const ofMembers = await send(
    sendAllMembers,
    { tally: members, total: memberCount, noun: ' members' },
    options,
  )
  return ofMembers === EXIT.ok ? exitCode : ofMembers
}

async function* withoutGroups(
  members: AsyncIterable<StoredMember>,
  groupIds: ReadonlySet<string>,
): AsyncGenerator<StoredMember> {
  for await (const member of members) if (!groupIds.has(member.groupId)) yield member
}

type Sent = Readonly<{ tally: RestoreTally; total: number; noun: string }>

/** Sends all groups, or all members, and reports what has become of them. */
async function send(
  start: (onProgress: () => void) => Promise<void>,
  { tally, total, noun }: Sent,
  { url, output, signal }: RestoreOptions,
): Promise<number> {
  const progress = new Progress(output)
  const startMs = output.nowMs()
  const state = () => {
    const done = tally.restored + tally.unchanged
    const rate = formatCount((done * 1_000) / Math.max(1, output.nowMs() - startMs))
    return { label: 'done', done, total, note: `${rate}/s` }
  }
  const sending = start(() => progress.show(state()))
  const failed = await untilInterrupted(sending, signal).then(
    () => undefined,
    (error: unknown) => error,
  )
  progress.finish(state())
  for (const line of reportLines(tally, total, noun)) output.write(`${line}\n`)
  // The file was whole when it was checked, but has changed since.
  if (failed !== undefined) throw failed
  if (tally.failure !== undefined) {
    throw new CommandFailure(
      `the restore was given up (${reasonOf(tally.failure)}, from ${url}): repeat it with --resume`,
    )
  }
  if (signal.aborted) {
    output.write('interrupted: repeat it with --resume\n')
    return EXIT.interrupted
  }
  return tally.conflicts.length === 0 ? EXIT.ok : EXIT.failed
}

/** Leaves out the API's advice to read before a repeat, because a restore can be repeated. */
function reasonOf(failure: NonNullable<RestoreTally['failure']>): string {
  if (failure.kind !== 'problem') return failure.reason
  const { status, code } = failure.problem
  return status >= 500 ? `${status} ${code}` : describeProblem(failure.problem)
}

function reportLines(
  { restored, unchanged, conflicts }: RestoreTally,
  total: number,
  noun: string,
): string[] {
  const shown = conflicts.slice(0, IDS_SHOWN).map((groupId) => `"${printable(groupId)}"`)
  const more = conflicts.length > IDS_SHOWN ? `, and ${formatCount(conflicts.length - IDS_SHOWN)} more` : ''
  return [
    `restored  ${formatCount(restored)} of ${formatCount(total)}${noun}`,
    ...(unchanged === 0 ? [] : [`unchanged ${formatCount(unchanged)}, there already as in the backup`]),
    ...(conflicts.length === 0
      ? []
      : [
          `conflicts ${formatCount(conflicts.length)}, written by others meanwhile and not changed: ${shown.join(', ')}${more}`,
        ]),
  ]
}
