/** `cohort list`: walks through the pages of a list, and prints each while the next one is on its way. */
import type { ApiClient, ListAnswer, ListedGroups, Reply } from '../api-client.ts'
import { PATIENCE_MS, PAUSE_MS } from '../backup/patience.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import { toFailure } from '../group-command.ts'
import type { Output } from '../output.ts'
import { patiently } from '../patiently.ts'
import { painter } from '../status/table.ts'
import { groupTable } from './group-table.ts'

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

/** The largest page that the API gives. */
const PAGE_GROUPS = 1_000
/** The largest number of ids in a message. */
const IDS_SHOWN = 10

/**
 * Prints the groups, in the order of their ids.
 *
 * @throws CommandFailure when a page cannot be read, or when a group cannot
 */
export async function listGroups(options: ListOptions): Promise<void> {
  const { output, form } = options
  const layout = { paint: painter(output.hasColours), columns: output.columns }
  const unreadable: string[] = []
  let count = 0
  for await (const page of pagesOf(options)) {
    unreadable.push(...(page.unreadable ?? []))
    const ids = page.groupIds ?? []
    let lines: readonly string[] = ids
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

async function* pagesOf(options: ListOptions): AsyncGenerator<ListAnswer> {
  const { client, url, groups, form, limit, patienceMs = PATIENCE_MS } = options
  const signal = new AbortController().signal
  let left = limit ?? Number.POSITIVE_INFINITY
  const pageAfter = (after: string | undefined, waitMs: number): Promise<Reply<ListAnswer>> => {
    const query = { ...groups, after, limit: Math.min(left, PAGE_GROUPS), idsOnly: form === 'ids' }
    const patience = { patienceMs: waitMs, pauseMs: PAUSE_MS, nowMs: () => performance.now(), signal }
    return patiently(() => client.list(query), patience)
  }
  // A connector that has never answered is not waited for.
  let asked = pageAfter(undefined, 0)
  while (true) {
    const reply = await asked
    if (reply.kind !== 'answered') throw toFailure(reply, url)
    const page = reply.value
    left -= page.groups.length + (page.groupIds?.length ?? 0)
    const isLast = page.after === undefined || left <= 0
    if (!isLast) asked = pageAfter(page.after, patienceMs)
    yield page
    if (isLast) return
  }
}

function describeUnreadable(groupIds: readonly string[]): string {
  const shown = groupIds.slice(0, IDS_SHOWN).map((groupId) => `"${printable(groupId)}"`)
  const more = groupIds.length > IDS_SHOWN ? ', …' : ''
  const subject = groupIds.length === 1 ? '1 group' : `${groupIds.length} groups`
  return `${subject} cannot be read (the log of the connector says more): ${shown.join(', ')}${more}`
}
