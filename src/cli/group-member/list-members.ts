/** `cohort members` and `cohort groups-of`: walk through the pages of a list, and print each. */
import type { GroupMember } from '../../api/group-member-schemas.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import { withFailures } from '../list/with-failures.ts'
import type { Output } from '../output.ts'
import { type Cell, type HeadCell, type Layout, painter, tableLines } from '../status/table.ts'

type Listed = Readonly<GroupMember>

/** A page of either list. */
export type MemberPage =
  | Readonly<{ members: readonly Listed[]; unreadable?: readonly string[] }>
  | Readonly<{ groups: readonly Listed[]; unreadable?: readonly string[] }>

export type MemberListOptions = Readonly<{
  pages: AsyncIterable<MemberPage>
  /** Where the API is, for messages. */
  url: string
  /** Which of the two ids the table and `--ids` show. */
  shows: 'memberId' | 'groupId'
  /** Printed if there is nobody, or no group. */
  nothing: string
  form: 'table' | 'json' | 'ids'
  output: Pick<Output, 'answer' | 'flush' | 'isReaderGone' | 'loss' | 'columns' | 'hasColours'>
}>

/**
 * Prints the list, in the order of the ids.
 *
 * @throws CommandFailure when a page cannot be read, or when a part of it cannot
 */
export async function listMembers(options: MemberListOptions): Promise<void> {
  const { pages, url, output, form, shows, nothing } = options
  const layout = { paint: painter(output.hasColours), columns: output.columns }
  let unreadableCount = 0
  let count = 0
  for await (const page of withFailures(pages, url)) {
    const members = 'members' in page ? page.members : page.groups
    unreadableCount += page.unreadable?.length ?? 0
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

type LineOptions = Pick<MemberListOptions, 'form' | 'shows'> & Readonly<{ layout: Layout; hasHead: boolean }>

function linesOf(members: readonly Listed[], { form, shows, layout, hasHead }: LineOptions): string[] {
  if (form === 'json') return members.map((member) => JSON.stringify(member))
  if (form === 'ids') return members.map((member) => printable(member[shows]))
  if (members.length === 0) return []
  const head: readonly HeadCell[] = [
    { text: shows === 'memberId' ? 'member' : 'group' },
    { text: 'role', rank: 1 },
    { text: 'version', isNumber: true, rank: 2 },
    { text: 'added', rank: 3 },
  ]
  const rows = members.map((member): Cell[] => [
    { text: member[shows] },
    { text: member.role ?? '' },
    { text: String(member.version), isNumber: true },
    { text: member.addedAt },
  ])
  return tableLines(head, rows, layout).slice(hasHead ? 0 : 1)
}
