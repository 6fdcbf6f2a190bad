/** `cohort members` and `cohort groups-of`: walk through the pages of a list, and print each. */
import type { GroupMember } from '../../api/group-member-schemas.ts'
import type { Reply } from '../api-client.ts'
import { PATIENCE_MS, PAUSE_MS } from '../backup/patience.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import { toFailure } from '../group-command.ts'
import type { Output } from '../output.ts'
import { patiently } from '../patiently.ts'
import { type Cell, type HeadCell, type Layout, painter, tableLines } from '../status/table.ts'

type Listed = Readonly<GroupMember>

/** A page of either list. */
export type MemberPage = Readonly<{
  members: readonly Listed[]
  unreadable: readonly string[]
  after: string | undefined
}>

export type MemberListOptions = Readonly<{
  /** Asks for the page after an id. `limit`: 1 to 1,000. */
  page: (after: string | undefined, limit: number) => Promise<Reply<MemberPage>>
  /** Which of the two ids the table and `--ids` show. */
  shows: 'memberId' | 'groupId'
  /** Printed if there is nobody, or no group. */
  nothing: string
  url: string
  /** The largest number to print. `undefined`: all. */
  limit: number | undefined
  form: 'table' | 'json' | 'ids'
  output: Pick<Output, 'answer' | 'flush' | 'isReaderGone' | 'loss' | 'columns' | 'hasColours'>
  /** How long a cluster that has answered once may be unavailable, in milliseconds. Default: 20 s. */
  patienceMs?: number
}>

/** The largest page that the API gives. */
const PAGE_MEMBERS = 1_000

/**
 * Prints the list, in the order of the ids.
 *
 * @throws CommandFailure when a page cannot be read, or when a part of it cannot
 */
export async function listMembers(options: MemberListOptions): Promise<void> {
  const { output, form, shows, nothing } = options
  const layout = { paint: painter(output.hasColours), columns: output.columns }
  let unreadableCount = 0
  let count = 0
  for await (const { members, unreadable } of pagesOf(options)) {
    unreadableCount += unreadable.length
    const lines = linesOf(members, { form, shows, layout, hasHead: count === 0 })
    count += members.length
    if (lines.length > 0) output.answer(`${lines.join('\n')}\n`)
    // A reader that takes its time bounds what waits in memory.
    await output.flush()
    if (output.isReaderGone || output.loss !== undefined) return
  }
  if (count === 0 && form === 'table') output.answer(`${nothing}\n`)
  if (unreadableCount > 0)
    throw new CommandFailure(`${unreadableCount} cannot be read: the log of the connector says more`)
}

async function* pagesOf({
  page,
  url,
  limit,
  patienceMs = PATIENCE_MS,
}: MemberListOptions): AsyncGenerator<MemberPage> {
  const { signal } = new AbortController()
  let left = limit ?? Number.POSITIVE_INFINITY
  let after: string | undefined
  // A connector that has never answered is not waited for.
  let waitMs = 0
  while (left > 0) {
    const patience = { patienceMs: waitMs, pauseMs: PAUSE_MS, nowMs: () => performance.now(), signal }
    const reply = await patiently(() => page(after, Math.min(left, PAGE_MEMBERS)), patience)
    if (reply.kind !== 'answered') throw toFailure(reply, url)
    yield reply.value
    left -= reply.value.members.length
    after = reply.value.after
    if (after === undefined) return
    waitMs = patienceMs
  }
}

type LineOptions = Pick<MemberListOptions, 'form' | 'shows'> & Readonly<{ layout: Layout; hasHead: boolean }>

function linesOf(members: readonly Listed[], { form, shows, layout, hasHead }: LineOptions): string[] {
  if (form === 'json') return members.map((member) => JSON.stringify(member))
  if (form === 'ids') return members.map((member) => member[shows])
  if (members.length === 0) return []
  const head: readonly HeadCell[] = [
    { text: shows === 'memberId' ? 'member' : 'group' },
    { text: 'role', rank: 1 },
    { text: 'version', isNumber: true, rank: 2 },
    { text: 'added', rank: 3 },
  ]
  const rows = members.map((member): Cell[] => [
    { text: printable(member[shows]) },
    { text: printable(member.role ?? '') },
    { text: String(member.version), isNumber: true },
    { text: member.addedAt },
  ])
  return tableLines(head, rows, layout).slice(hasHead ? 0 : 1)
}
