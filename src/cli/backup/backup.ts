/** `cohort backup`: reads all groups of a running cluster, page by page, into one file. */
import type { Group } from '../../group/group.ts'
import { VERSION } from '../../process/version.ts'
import { ApiClient, type ApiCredentials } from '../api-client.ts'
import { counted, countedContents } from '../counted.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure, isSystemError } from '../failure.ts'
import { findCluster } from '../find-cluster.ts'
import { printable } from '../format-group.ts'
import { toFailure } from '../group-command.ts'
import { patiently } from '../patiently.ts'
import { formatCount, Progress, type ProgressOutput } from '../progress.ts'
import { untilAborted } from '../until-aborted.ts'
import { BackupWriter } from './backup-format.ts'
import type { BackupSink } from './backup-sink.ts'
import { MemberPages } from './member-pages.ts'
import { canServe, PATIENCE_MS, PAUSE_MS } from './patience.ts'

export type BackupOptions = Readonly<{
  /** Where the API is, for messages, and where each connector is (default: `url`). */
  url: string
  urls?: readonly string[]
  credentials?: ApiCredentials
  sink: BackupSink
  output: ProgressOutput
  /** The time of day. */
  now: () => Date
  /** Groups that cannot be read are left out, and named at the end. Else the first one ends the backup. */
  skipUnreadable?: boolean
  /** When it aborts, the backup is given up. */
  signal: AbortSignal
  /** How long a cluster that has answered once may be unavailable, in milliseconds. Default: 20 s. */
  patienceMs?: number
}>

/** As many groups as a node gives in one page of a scan, so that no key is read twice. */
const PAGE_GROUPS = 512

/**
 * Makes the backup and prints how it went. The sink is committed or discarded.
 *
 * @returns the exit code: ok, or interrupted
 * @throws CommandFailure when the backup cannot be made
 */
export async function backup(options: BackupOptions): Promise<number> {
  const { url, urls, credentials, sink, output, now, signal } = options
  const client = new ApiClient({ url, urls, credentials, connections: 2 })
  const writer = new BackupWriter()
  const progress = new Progress(output)
  const startMs = output.nowMs()
  const state = () => {
    const rate = formatCount((writer.count * 1_000) / Math.max(1, output.nowMs() - startMs))
    return { label: 'backed up', done: writer.count, total: undefined, note: `${rate}/s` }
  }
  const leftOut: string[] = []
  const onUnreadable = (groupIds: readonly string[]) => {
    leftOut.push(...groupIds)
    if (leftOut.length === 0 || options.skipUnreadable) return
    throw new CommandFailure(
      `what the nodes hold for ${listOf(leftOut)} cannot be read (the log of the connector says more), so the backup ` +
        `would not be complete: ${sink.discarded}. --skip-unreadable leaves such groups out`,
    )
  }
  // Ctrl-C must end the command also while a reader takes nothing.
  const write = (bytes: Buffer) => untilAborted(sink.write(bytes), signal)
  try {
    const startedAt = now().toISOString()
    const finding = findCluster(client, url, { isEnough: canServe, nowMs: output.nowMs, signal })
    const cluster = await untilAborted(finding, signal)
    // A cluster that can serve has both of these.
    const [clusterId, epoch] = [cluster.clusterId!, cluster.epoch!]
    await write(writer.header({ clusterId, epoch, startedAt, writtenBy: `cohort ${VERSION}` }))
    const members = new MemberPages(client, options, () => writer.count)
    for await (const groups of pagesOf(client, options, writer, onUnreadable)) {
      const lines: Buffer[] = []
      for (const group of groups) {
        lines.push(writer.group(group))
        for await (const some of members.of(group.groupId)) {
          lines.push(...some.map((member) => writer.member(member)))
          // A group may have a million members.
          await write(Buffer.concat(lines.splice(0)))
        }
      }
      await write(Buffer.concat(lines))
      progress.show(state())
    }
    await write(writer.end(now().toISOString()))
    await sink.commit()
    progress.finish(state())
    const contents = countedContents(writer.count, writer.memberCount)
    output.write(`backup    ${sink.name}, ${contents} of cluster ${clusterId}\n`)
    if (leftOut.length > 0) output.write(`left out  ${listOf(leftOut)}: cannot be read\n`)
    return EXIT.ok
  } catch (error) {
    progress.clear()
    await sink.discard()
    if (isSystemError(error))
      throw new CommandFailure(`${error.message}: ${sink.discarded}`, EXIT.failed, { cause: error })
    if (!signal.aborted || error instanceof CommandFailure) throw error
    output.write(`interrupted after ${counted(writer.count, 'group')}; ${sink.discarded}\n`)
    return EXIT.interrupted
  } finally {
    await client.close()
  }
}

/** All groups, page by page. The next page is requested while one is written. */
async function* pagesOf(
  client: ApiClient,
  { url, sink, output, signal, patienceMs = PATIENCE_MS }: BackupOptions,
  writer: BackupWriter,
  onUnreadable: (groupIds: readonly string[]) => void,
): AsyncGenerator<readonly Group[]> {
  const patience = { patienceMs, pauseMs: PAUSE_MS, nowMs: output.nowMs, signal }
  const pageAfter = (after: string | undefined) =>
    patiently(() => client.backUp(after, PAGE_GROUPS), patience)
  let asked = pageAfter(undefined)
  while (true) {
    const reply = await untilAborted(asked, signal)
    if (reply.kind !== 'answered') {
      const { message, exitCode } = toFailure(reply, url)
      const count = counted(writer.count, 'group')
      throw new CommandFailure(
        `${message}. The backup was given up after ${count}; ${sink.discarded}`,
        exitCode,
      )
    }
    const { groups, unreadable = [], after } = reply.value
    onUnreadable(unreadable)
    if (after !== undefined) asked = pageAfter(after)
    if (groups.length > 0) yield groups
    if (after === undefined) return
  }
}

/** The largest number of ids in a message. */
const IDS_SHOWN = 10

/** `the group "a"`, or `2 groups ("a", "b")`. */
function listOf(groupIds: readonly string[]): string {
  const [only, ...others] = groupIds.slice(0, IDS_SHOWN).map((groupId) => `"${printable(groupId)}"`)
  if (others.length === 0) return `the group ${only}`
  const more = groupIds.length > IDS_SHOWN ? ', …' : ''
  return `${counted(groupIds.length, 'group')} (${[only, ...others].join(', ')}${more})`
}
