/** `cohort list`: prints a list of groups, page by page. */
import type { ApiClient, ListedGroups } from '../api-client.ts'
import { PATIENCE_MS } from '../backup/patience.ts'
import { counted } from '../counted.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import type { Output } from '../output.ts'
import { painter } from '../status/table.ts'
import { groupTable } from './group-table.ts'
import { withFailures } from './with-failures.ts'

export type ListOptions = Readonly<{
  client: Pick<ApiClient, 'list'>
  /** Where the API is, for messages. */
  url: string
  groups: ListedGroups
  /** The largest number of groups to print. `undefined`: all. */
  limit: number | undefined
  /** A table for people, a JSON object per line, or an id per line. */
  form: 'table' | 'json' | 'ids'
  output: Pick<Output, 'answer' | 'flush' | 'isReaderGone' | 'loss' | 'columns' | 'hasColours'>
  /** How long a cluster that has answered once may be unavailable, in milliseconds. Default: 20 s. */
  patienceMs?: number
}>

/** The largest number of ids in a message. */
const IDS_SHOWN = 10

/**
 * Prints the groups, in the order of their ids.
 *
 * @throws CommandFailure when a page cannot be read, or when a group cannot
 */
export async function listGroups(options: ListOptions): Promise<void> {
  const { client, groups, output, form, url, limit, patienceMs = PATIENCE_MS } = options
  const layout = { paint: painter(output.hasColours), columns: output.columns }
  const unreadable: string[] = []
  let count = 0
  const pages = client.list(groups, form === 'ids', { limit, patienceMs })
  for await (const page of withFailures(pages, url)) {
    unreadable.push(...(page.unreadable ?? []))
    const ids = page.groupIds ?? []
    let lines: readonly string[] = ids.map(printable)
    if (form === 'json') lines = page.groups.map((group) => JSON.stringify(group))
    else if (form === 'table' && page.groups.length > 0)
      lines = groupTable(page.groups, layout).slice(count === 0 ? 0 : 1)
    count += page.groups.length + ids.length
    if (lines.length > 0) output.answer(`${lines.join('\n')}\n`)
    // A reader that takes its time bounds what waits in memory.
    await output.flush()
    if (output.isReaderGone || output.loss !== undefined) return
  }
  if (count === 0 && form === 'table') output.answer('no groups\n')
  if (unreadable.length > 0) throw new CommandFailure(describeUnreadable(unreadable))
}

function describeUnreadable(groupIds: readonly string[]): string {
  const shown = groupIds.slice(0, IDS_SHOWN).map((groupId) => `"${printable(groupId)}"`)
  const more = groupIds.length > IDS_SHOWN ? ', …' : ''
  return `${counted(groupIds.length, 'group')} cannot be read (the log of the connector says more): ${shown.join(', ')}${more}`
}
