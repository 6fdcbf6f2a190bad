/** A page of groups as a table, for people. */
import type { GroupView } from '../api-client.ts'
import { printable } from '../format-group.ts'
import { type Cell, type HeadCell, type Layout, tableLines } from '../status/table.ts'

const HEAD: readonly HeadCell[] = [
  { text: 'group' },
  { text: 'version', isNumber: true, rank: 1 },
  { text: 'updated', rank: 2 },
  { text: 'labels', rank: 4 },
  { text: 'description', rank: 3 },
]

/** The longest text of labels, and of a description, in a table. `cohort get` shows all of it. */
const TEXT_LENGTH_MAX = 48

/** The lines of the table. The first is the head. */
export function groupTable(groups: readonly GroupView[], layout: Layout): string[] {
  return tableLines(HEAD, groups.map(row), layout)
}

function row({ groupId, version, updatedAt, labels = {}, description = '' }: GroupView): Cell[] {
  const labelText = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return [
    { text: groupId },
    { text: String(version), isNumber: true },
    { text: updatedAt },
    { text: shortened(labelText.join(',')) },
    { text: shortened(description) },
  ]
}

function shortened(text: string): string {
  const characters = [...printable(text)]
  if (characters.length <= TEXT_LENGTH_MAX) return characters.join('')
  return `${characters.slice(0, TEXT_LENGTH_MAX - 1).join('')}…`
}
